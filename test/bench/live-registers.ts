import { HELPER, type HelperName, SLOT_BYTES } from '../../engine/bytecode/index.js';
import { ATOMIC, CALL, CLASS, END, EXIT, JA, MODE, PSEUDO_CALL, SOURCE } from '../../engine/bytecode/isa.js';

/** One instruction with its fields apart; `slots` is 2 for `ld_imm64`. */
export interface Instruction {
  readonly slotIndex: number;
  readonly slots: 1 | 2;
  readonly opcode: number;
  readonly destination: number;
  readonly source: number;
  readonly offset: number;
  readonly immediate: number;
}

export function decodeInstructions(bytes: Uint8Array): Instruction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoded: Instruction[] = [];
  for (let slotIndex = 0; slotIndex * SLOT_BYTES < bytes.byteLength; ) {
    const at = slotIndex * SLOT_BYTES;
    const opcode = view.getUint8(at);
    const registers = view.getUint8(at + 1);
    const slots = (opcode & 7) === CLASS.ld ? 2 : 1;
    decoded.push({
      slotIndex,
      slots,
      opcode,
      destination: registers & 0xf,
      source: registers >> 4,
      offset: view.getInt16(at + 2, true),
      immediate: view.getInt32(at + 4, true),
    });
    slotIndex += slots;
  }
  return decoded;
}

const classOf = (opcode: number) => opcode & 7;
const operationOf = (opcode: number) => opcode & 0xf0;

export function isJump({ opcode }: Instruction): boolean {
  const isBranch = classOf(opcode) === CLASS.jmp || classOf(opcode) === CLASS.jmp32;
  return isBranch && operationOf(opcode) !== CALL && operationOf(opcode) !== EXIT;
}

/** Where a jump goes: slots from the instruction after it, in the offset or for `gotol` in the immediate. */
export function jumpTarget(instruction: Instruction): number {
  const { opcode, slotIndex, offset, immediate } = instruction;
  return slotIndex + 1 + (opcode === (CLASS.jmp32 | JA) ? immediate : offset);
}

export const isExit = ({ opcode }: Instruction) => opcode === (CLASS.jmp | EXIT);
export const isCall = ({ opcode }: Instruction) => opcode === (CLASS.jmp | CALL);
/** A jump or an exit, after which the next instruction is not reached. */
const endsFlow = (instruction: Instruction) =>
  isExit(instruction) || (isJump(instruction) && operationOf(instruction.opcode) === JA);

/** Arguments of the helpers that Vespid's programs call, from the prototypes of include/uapi/linux/bpf.h. */
const HELPER_ARGUMENTS: Readonly<Partial<Record<HelperName, number>>> = {
  map_lookup_elem: 2,
  map_update_elem: 4,
  map_delete_elem: 2,
  get_current_pid_tgid: 0,
  get_current_uid_gid: 0,
  get_current_comm: 2,
  get_current_task: 0,
  get_current_cgroup_id: 0,
  send_signal: 1,
  probe_read_user: 3,
  probe_read_kernel: 3,
  probe_read_user_str: 3,
  probe_read_kernel_str: 3,
  get_current_ancestor_cgroup_id: 1,
  ktime_get_boot_ns: 0,
  ringbuf_output: 4,
  get_current_task_btf: 0,
  task_pt_regs: 1,
  loop: 4,
};
const ARGUMENTS_BY_ID = new Map<number, number>(
  Object.entries(HELPER_ARGUMENTS).map(([name, count]) => [HELPER[name as HelperName], count]),
);

/** A set of registers: bit n = Rn. */
type Registers = number;
const bit = (register: number): Registers => 1 << register;
/** R1 to R`count`. */
const argumentsUpTo = (count: number): Registers => (2 << count) - 2;
const CALLER_SAVED = bit(0) | argumentsUpTo(5);

/** The registers that an instruction reads, and those that hold nothing of before after it. */
function effectsOf(
  instruction: Instruction,
  calleeArguments: (slotIndex: number) => Registers,
): { reads: Registers; writes: Registers } {
  const { opcode, destination, source, immediate, slotIndex } = instruction;
  const fromRegister = (opcode & SOURCE.x) !== 0 ? bit(source) : 0;
  switch (classOf(opcode)) {
    case CLASS.ld:
      return { reads: 0, writes: bit(destination) };
    case CLASS.ldx:
      return { reads: bit(source), writes: bit(destination) };
    case CLASS.st:
      return { reads: bit(destination), writes: 0 };
    case CLASS.stx: {
      const reads = bit(destination) | bit(source);
      if ((opcode & 0xe0) !== MODE.atomic) return { reads, writes: 0 };
      if (immediate === ATOMIC.compareExchange) return { reads: reads | bit(0), writes: bit(0) };
      return { reads, writes: (immediate & ATOMIC.fetchAdd) !== 0 ? bit(source) : 0 };
    }
    case CLASS.alu32:
    case CLASS.alu64: {
      const isMove = operationOf(opcode) === 0xb0;
      const isSwap = operationOf(opcode) === END;
      const reads = (isMove ? 0 : bit(destination)) | (isSwap ? 0 : fromRegister);
      return { reads, writes: bit(destination) };
    }
    default:
      if (isExit(instruction)) return { reads: bit(0), writes: 0 };
      if (isCall(instruction)) {
        const isLocal = source === PSEUDO_CALL;
        const count = ARGUMENTS_BY_ID.get(immediate);
        if (!isLocal && count === undefined) throw new Error(`helper ${immediate} is not in the table`);
        const reads = isLocal ? calleeArguments(slotIndex) : argumentsUpTo(count ?? 0);
        return { reads, writes: CALLER_SAVED };
      }
      return { reads: operationOf(opcode) === JA ? 0 : bit(destination) | fromRegister, writes: 0 };
  }
}

/**
 * For every instruction, by slot, the registers whose value may still be read from there on: the classic backward
 * data-flow analysis. A register that is not live can be overwritten without a trace.
 *
 * @param calleeArguments the argument registers that the function called at a slot reads
 */
export function liveRegisters(
  code: readonly Instruction[],
  calleeArguments: (slotIndex: number) => Registers,
): ReadonlyMap<number, Registers> {
  const live = new Map<number, Registers>();
  for (let changed = true; changed; ) {
    changed = false;
    for (const instruction of [...code].reverse()) {
      const { slotIndex, slots } = instruction;
      let after = endsFlow(instruction) ? 0 : (live.get(slotIndex + slots) ?? 0);
      if (isJump(instruction)) after |= live.get(jumpTarget(instruction)) ?? 0;
      const { reads, writes } = effectsOf(instruction, calleeArguments);
      const before = (after & ~writes) | reads;
      if (before === live.get(slotIndex)) continue;
      live.set(slotIndex, before);
      changed = true;
    }
  }
  return live;
}

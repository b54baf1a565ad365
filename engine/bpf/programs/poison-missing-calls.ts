import { InstructionSlots, type LinkedProgram, SLOT_BYTES } from '../../bytecode/index.js';
import type { KernelExterns } from '../externs/kernel-externs.js';

/** `call imm` (RFC 9669, section 4.3). */
const CALL_OPCODE = 0x85;

/**
 * What libbpf writes since 1.2 as the helper id of a call to a weak kernel function that is not there, with the
 * extern's index added: no kernel has such a helper, so the verifier names it, and people know the number from logs.
 */
export const POISON_KFUNC_BASE = 2_002_000_000;

/**
 * The program with every call of a missing kernel function poisoned, or undefined if it has none. Only to be refused
 * by a log that says which call it was: what is loaded is the form of libbpf up to 1.1 (Debian 12), function 0, whose
 * refusal says nothing of the sort.
 */
export function poisonMissingCalls(
  instructions: Uint8Array,
  linked: LinkedProgram,
  externs: KernelExterns,
): Uint8Array | undefined {
  const slots = new InstructionSlots(instructions.slice(), `${linked.objectName}: ${linked.name}`);
  let count = 0;
  for (const { slotIndex, name } of linked.kfuncReferences) {
    const extern = externs.byName.get(name);
    if (extern?.resolved.kind !== 'missing') continue;
    slots.bytes.fill(0, slotIndex * SLOT_BYTES, (slotIndex + 1) * SLOT_BYTES);
    slots.setOpcode(slotIndex, CALL_OPCODE);
    slots.setImmediate(slotIndex, POISON_KFUNC_BASE + extern.index);
    count++;
  }
  return count === 0 ? undefined : slots.bytes;
}

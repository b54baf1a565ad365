import { VespidError } from '../../errors/index.js';
import type { ByteOrder } from '../byte-reader.js';
import { LOAD_IMM64_OPCODE } from '../instruction-slots.js';
import {
  ADDRESS_SPACE_CAST,
  ALU,
  ATOMIC,
  CALL,
  CLASS,
  END,
  EXIT,
  JA,
  JCOND,
  JUMP,
  MODE,
  PSEUDO,
  PSEUDO_CALL,
  PSEUDO_KFUNC_CALL,
  SIGNED_DIVISION,
  SIZE,
  SLOT_BYTES,
  SOURCE,
} from '../isa.js';
import type {
  Address,
  AtomicOperation,
  BinaryOperation,
  Instruction,
  Operand,
  Width,
} from './instruction.js';
import { type Slot, writeSlot } from './slot.js';

const FETCHED = {
  add: ATOMIC.fetchAdd,
  or: ATOMIC.fetchOr,
  and: ATOMIC.fetchAnd,
  xor: ATOMIC.fetchXor,
} as const satisfies Record<AtomicOperation, number>;

/**
 * Machine code; {@link decodeInstructions} gives back the same instructions.
 * @param byteOrder of the machine that the code is for
 * @throws VespidError ASSEMBLER_INVALID for a number that its field cannot hold
 */
export function encodeInstructions(
  instructions: readonly Instruction[],
  byteOrder: ByteOrder = 'little-endian',
): Uint8Array<ArrayBuffer> {
  const slots = instructions.flatMap((instruction, index) =>
    encodeInstruction(instruction, `instruction ${index}`),
  );
  const bytes = new Uint8Array(slots.length * SLOT_BYTES);
  const view = new DataView(bytes.buffer);
  slots.forEach((slot, slotIndex) => {
    writeSlot(view, slotIndex, slot, byteOrder);
  });
  return bytes;
}

/**
 * The slots of one instruction.
 * @param where of the instruction, for messages
 * @throws VespidError ASSEMBLER_INVALID for a number that its field cannot hold
 */
export function encodeInstruction(instruction: Instruction, where: string): Slot[] {
  const slots = slotsOf(instruction);
  for (const { offset, immediate } of slots) {
    checkSigned('offset', offset, 16, where);
    checkSigned('immediate', immediate, 32, where);
  }
  return slots;
}

function checkSigned(field: string, value: number, bits: number, where: string): void {
  if (Number.isInteger(value) && value >= -(2 ** (bits - 1)) && value < 2 ** (bits - 1)) return;
  throw new VespidError('ASSEMBLER_INVALID', `${where}: ${field} ${value} does not fit in ${bits} bits`, {
    hint: `from ${-(2 ** (bits - 1))} to ${2 ** (bits - 1) - 1}`,
  });
}

function slot(opcode: number, fields: Partial<Slot> = {}): Slot {
  return { opcode, destination: 0, source: 0, offset: 0, immediate: 0, ...fields };
}

function slotsOf(instruction: Instruction): Slot[] {
  switch (instruction.kind) {
    case 'load-immediate64': {
      const { destination, value } = instruction;
      const low = Number(BigInt.asIntN(32, value));
      // Not truncated: a value of more than 64 bits fails the check of the immediate.
      return wideSlots(destination, 0, low, Number(value >> 32n));
    }
    case 'load-address':
      return addressSlots(instruction.destination, instruction.address);
    default:
      return [narrowSlot(instruction)];
  }
}

function wideSlots(destination: number, source: number, low: number, high: number): Slot[] {
  return [slot(LOAD_IMM64_OPCODE, { destination, source, immediate: low }), slot(0, { immediate: high })];
}

function addressSlots(destination: number, address: Address): Slot[] {
  switch (address.kind) {
    case 'map-fd':
      return wideSlots(destination, PSEUDO.mapFd, address.mapFd, 0);
    case 'map-value':
      return wideSlots(destination, PSEUDO.mapValue, address.mapFd, address.byteOffset);
    case 'variable':
      return wideSlots(destination, PSEUDO.variable, address.typeId, address.btfFd);
    case 'function':
      return wideSlots(destination, PSEUDO.function, address.offset, 0);
    case 'map-index':
      return wideSlots(destination, PSEUDO.mapIndex, address.mapIndex, 0);
    case 'map-index-value':
      return wideSlots(destination, PSEUDO.mapIndexValue, address.mapIndex, address.byteOffset);
  }
}

type NarrowInstruction = Exclude<Instruction, { kind: 'load-immediate64' | 'load-address' }>;

/** One case an instruction: the table of RFC 9669's appendix, with Linux's rows. */
function narrowSlot(instruction: NarrowInstruction): Slot {
  switch (instruction.kind) {
    case 'alu': {
      const { width, operation, destination, source } = instruction;
      const { code, offset } = operationFields(operation);
      return slot(aluClass(width) | code | sourceBit(source), {
        destination,
        offset,
        ...operandFields(source),
      });
    }
    case 'negate':
      return slot(aluClass(instruction.width) | ALU.neg, { destination: instruction.destination });
    case 'move-sign-extended': {
      const { width, bits: offset, destination, source } = instruction;
      return slot(aluClass(width) | SOURCE.x | ALU.mov, { destination, source, offset });
    }
    case 'to-byte-order': {
      const order = instruction.byteOrder === 'big-endian' ? SOURCE.x : SOURCE.k;
      const { destination, bits: immediate } = instruction;
      return slot(CLASS.alu32 | order | END, { destination, immediate });
    }
    case 'byte-swap': {
      const { destination, bits: immediate } = instruction;
      return slot(CLASS.alu64 | END, { destination, immediate });
    }
    case 'address-space-cast': {
      const { destination, source, toSpace, fromSpace } = instruction;
      const immediate = (toSpace << 16) | fromSpace;
      return slot(CLASS.alu64 | SOURCE.x | ALU.mov, {
        destination,
        source,
        offset: ADDRESS_SPACE_CAST,
        immediate,
      });
    }
    case 'load': {
      const { bytes, isSigned, destination, base: source, offset } = instruction;
      const mode = isSigned ? MODE.memSigned : MODE.mem;
      return slot(CLASS.ldx | mode | SIZE[bytes], { destination, source, offset });
    }
    case 'store': {
      const { bytes, base: destination, offset, source } = instruction;
      const storeClass = source.kind === 'register' ? CLASS.stx : CLASS.st;
      return slot(storeClass | MODE.mem | SIZE[bytes], { destination, offset, ...operandFields(source) });
    }
    case 'load-packet': {
      const { bytes, index, offset: immediate } = instruction;
      const mode = index === undefined ? MODE.abs : MODE.ind;
      return slot(CLASS.ld | mode | SIZE[bytes], { source: index ?? 0, immediate });
    }
    case 'atomic': {
      const { operation, fetch } = instruction;
      return atomicSlot(instruction, (fetch ? FETCHED : ATOMIC)[operation]);
    }
    case 'exchange':
      return atomicSlot(instruction, ATOMIC.exchange);
    case 'compare-exchange':
      return atomicSlot(instruction, ATOMIC.compareExchange);
    case 'store-release':
      return atomicSlot(instruction, ATOMIC.storeRelease);
    case 'load-acquire': {
      const { bytes, destination, base: source, offset } = instruction;
      const immediate = ATOMIC.loadAcquire;
      return slot(CLASS.stx | MODE.atomic | SIZE[bytes], { destination, source, offset, immediate });
    }
    case 'jump':
      if (instruction.isLong) return slot(CLASS.jmp32 | JA, { immediate: instruction.offset });
      return slot(CLASS.jmp | JA, { offset: instruction.offset });
    case 'jump-if': {
      const { width, condition, left: destination, right, offset } = instruction;
      const jumpClass = width === 64 ? CLASS.jmp : CLASS.jmp32;
      return slot(jumpClass | JUMP[condition] | sourceBit(right), {
        destination,
        offset,
        ...operandFields(right),
      });
    }
    case 'may-goto':
      return slot(CLASS.jmp | JCOND, { offset: instruction.offset });
    case 'exit':
      return slot(CLASS.jmp | EXIT);
    case 'call-helper':
      return slot(CLASS.jmp | CALL, { immediate: instruction.helperId });
    case 'call-local':
      return slot(CLASS.jmp | CALL, { source: PSEUDO_CALL, immediate: instruction.offset });
    case 'call-kfunc': {
      const { typeId: immediate, fdArrayIndex: offset } = instruction;
      return slot(CLASS.jmp | CALL, { source: PSEUDO_KFUNC_CALL, offset, immediate });
    }
    case 'call-register':
      return slot(CLASS.jmp | SOURCE.x | CALL, { destination: instruction.register });
  }
}

function atomicSlot(
  {
    bytes,
    base,
    offset,
    source,
  }: Extract<Instruction, { kind: 'exchange' | 'atomic' | 'store-release' | 'compare-exchange' }>,
  immediate: number,
): Slot {
  return slot(CLASS.stx | MODE.atomic | SIZE[bytes], { destination: base, source, offset, immediate });
}

function operationFields(operation: BinaryOperation): { code: number; offset: number } {
  if (operation === 'sdiv') return { code: ALU.div, offset: SIGNED_DIVISION };
  if (operation === 'smod') return { code: ALU.mod, offset: SIGNED_DIVISION };
  return { code: ALU[operation], offset: 0 };
}

function aluClass(width: Width): number {
  return width === 64 ? CLASS.alu64 : CLASS.alu32;
}

function sourceBit(operand: Operand): number {
  return operand.kind === 'register' ? SOURCE.x : SOURCE.k;
}

function operandFields(operand: Operand): { source: number } | { immediate: number } {
  return operand.kind === 'register' ? { source: operand.register } : { immediate: operand.value };
}

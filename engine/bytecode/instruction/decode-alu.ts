import {
  ADDRESS_SPACE_CAST,
  ALU,
  type AluOperation,
  END,
  OPERATION_MASK,
  SIGNED_DIVISION,
  SOURCE,
} from '../isa.js';
import type { AluInstruction, BinaryOperation, Operand, SwapBits, Width } from './instruction.js';
import { namesByNumber } from './number-table.js';
import type { SlotReader } from './slot-reader.js';

const OPERATIONS: ReadonlyMap<number, AluOperation> = namesByNumber(ALU);

/** RFC 9669 sections 4.1 and 4.2. */
export function decodeAlu(reader: SlotReader, width: Width): AluInstruction {
  const code = reader.opcode & OPERATION_MASK;
  if (code === END) return decodeSwap(reader, width);
  const operation = OPERATIONS.get(code);
  if (operation === undefined) throw reader.unknown('no such arithmetic operation');
  const isRegister = (reader.opcode & SOURCE.x) !== 0;
  if (operation === 'neg') {
    if (isRegister) throw reader.unknown('a negation has no second operand');
    reader.unused('source', 'offset', 'immediate');
    return { kind: 'negate', width, destination: reader.destination };
  }
  if (operation === 'mov' && isRegister && reader.slot.offset !== 0) return decodeSpecialMove(reader, width);
  return {
    kind: 'alu',
    width,
    operation: signedOperation(reader, operation),
    destination: reader.destination,
    source: decodeOperand(reader),
  };
}

/** By the source bit: a register, and no immediate; or an immediate, and no source register. */
export function decodeOperand(reader: SlotReader): Operand {
  if ((reader.opcode & SOURCE.x) !== 0) {
    reader.unused('immediate');
    return { kind: 'register', register: reader.source };
  }
  reader.unused('source');
  return { kind: 'immediate', value: reader.slot.immediate };
}

function signedOperation(reader: SlotReader, operation: Exclude<AluOperation, 'neg'>): BinaryOperation {
  const isDivision = operation === 'div' || operation === 'mod';
  if (!isDivision) reader.unused('offset');
  if (!isDivision || reader.slot.offset === 0) return operation;
  if (reader.slot.offset !== SIGNED_DIVISION) throw reader.reserved('offset', '0 or 1 (signed) expected');
  return operation === 'div' ? 'sdiv' : 'smod';
}

function decodeSpecialMove(reader: SlotReader, width: Width): AluInstruction {
  const { destination, source } = reader;
  const { offset, immediate } = reader.slot;
  if (offset === ADDRESS_SPACE_CAST && width === 64) {
    const toSpace = immediate >>> 16;
    return { kind: 'address-space-cast', destination, source, toSpace, fromSpace: immediate & 0xffff };
  }
  if (offset === 8 || offset === 16 || (offset === 32 && width === 64)) {
    reader.unused('immediate');
    return { kind: 'move-sign-extended', width, bits: offset, destination, source };
  }
  throw reader.reserved('offset', width === 64 ? '0, 1, 8, 16 or 32 expected' : '0, 8 or 16 expected');
}

function decodeSwap(reader: SlotReader, width: Width): AluInstruction {
  reader.unused('source', 'offset');
  const { destination } = reader;
  const bits = swapBits(reader);
  const isBigEndian = (reader.opcode & SOURCE.x) !== 0;
  if (width === 32) {
    const byteOrder = isBigEndian ? 'big-endian' : 'little-endian';
    return { kind: 'to-byte-order', byteOrder, bits, destination };
  }
  if (isBigEndian) throw reader.unknown('an unconditional byte swap has no source bit');
  return { kind: 'byte-swap', bits, destination };
}

function swapBits(reader: SlotReader): SwapBits {
  const { immediate } = reader.slot;
  if (immediate === 16 || immediate === 32 || immediate === 64) return immediate;
  throw reader.reserved('immediate', 'a width of 16, 32 or 64 expected');
}

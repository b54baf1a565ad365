import {
  CALL,
  CLASS,
  EXIT,
  JA,
  JCOND,
  JUMP,
  OPERATION_MASK,
  PSEUDO_CALL,
  PSEUDO_KFUNC_CALL,
  SOURCE,
} from '../isa.js';
import { decodeOperand } from './decode-alu.js';
import type { CallInstruction, JumpInstruction, Width } from './instruction.js';
import { namesByNumber } from './number-table.js';
import type { SlotReader } from './slot-reader.js';

const CONDITIONS = namesByNumber(JUMP);

/** RFC 9669 section 4.3. */
export function decodeJump(reader: SlotReader, width: Width): JumpInstruction | CallInstruction {
  const condition = CONDITIONS.get(reader.opcode & OPERATION_MASK);
  const { offset } = reader.slot;
  if (condition !== undefined) {
    const { destination: left } = reader;
    return { kind: 'jump-if', width, condition, left, right: decodeOperand(reader), offset };
  }
  switch (reader.opcode) {
    case CLASS.jmp | JA:
      reader.unused('destination', 'source', 'immediate');
      return { kind: 'jump', isLong: false, offset };
    case CLASS.jmp32 | JA:
      reader.unused('destination', 'source', 'offset');
      return { kind: 'jump', isLong: true, offset: reader.slot.immediate };
    case CLASS.jmp | JCOND:
      // The source register says which condition; 0, BPF_MAY_GOTO, is the only one.
      reader.unused('destination', 'source', 'immediate');
      return { kind: 'may-goto', offset };
    case CLASS.jmp | EXIT:
      reader.unused('destination', 'source', 'offset', 'immediate');
      return { kind: 'exit' };
    case CLASS.jmp | CALL:
      return decodeCall(reader);
    case CLASS.jmp | SOURCE.x | CALL:
      reader.unused('source', 'offset', 'immediate');
      return { kind: 'call-register', register: reader.destination };
    default:
      throw reader.unknown('no such jump');
  }
}

/** RFC 9669 section 4.3.1. */
function decodeCall(reader: SlotReader): CallInstruction {
  reader.unused('destination');
  const { source, offset, immediate } = reader.slot;
  if (source === PSEUDO_KFUNC_CALL) {
    return { kind: 'call-kfunc', typeId: immediate, fdArrayIndex: offset };
  }
  reader.unused('offset');
  if (source === PSEUDO_CALL) return { kind: 'call-local', offset: immediate };
  if (source === 0) return { kind: 'call-helper', helperId: immediate };
  throw reader.reserved('source', '0 (helper), 1 (local function) or 2 (kernel function) expected');
}

import {
  type AccessBytes,
  ATOMIC,
  CLASS,
  CLASS_MASK,
  MODE,
  MODE_MASK,
  type Register,
  SIZE_MASK,
} from '../isa.js';
import type { AtomicInstruction, MemoryInstruction } from './instruction.js';
import { namesByNumber } from './number-table.js';
import type { SlotReader } from './slot-reader.js';

/** The size bits, shifted down: W, H, B, DW (RFC 9669 section 5). */
const BYTES_BY_SIZE = [4, 2, 1, 8] as const;

const ATOMIC_NAMES = namesByNumber(ATOMIC);

/** RFC 9669 sections 5.1 to 5.3: the classes ldx, st and stx. */
export function decodeMemory(reader: SlotReader): MemoryInstruction | AtomicInstruction {
  const mode = reader.opcode & MODE_MASK;
  const bytes = accessBytes(reader);
  const { offset } = reader.slot;
  switch (reader.opcode & CLASS_MASK) {
    case CLASS.ldx: {
      const isSigned = mode === MODE.memSigned;
      // Eight bytes have no upper half to extend into.
      if (!(isSigned && bytes < 8) && mode !== MODE.mem) throw reader.unknown('no such load');
      reader.unused('immediate');
      const { destination, source: base } = reader;
      return { kind: 'load', bytes, isSigned, destination, base, offset };
    }
    case CLASS.st: {
      if (mode !== MODE.mem) throw reader.unknown('no such store of an immediate');
      reader.unused('source');
      const source = { kind: 'immediate', value: reader.slot.immediate } as const;
      return { kind: 'store', bytes, base: reader.destination, offset, source };
    }
    default: {
      if (mode === MODE.atomic) return decodeAtomic(reader, bytes);
      if (mode !== MODE.mem) throw reader.unknown('no such store');
      reader.unused('immediate');
      const source = { kind: 'register', register: reader.source } as const;
      return { kind: 'store', bytes, base: reader.destination, offset, source };
    }
  }
}

/** RFC 9669 section 5.5: R0 = bytes of the packet, for programs that were once classic BPF. */
export function decodePacketLoad(reader: SlotReader): MemoryInstruction {
  const bytes = accessBytes(reader);
  if (bytes === 8) throw reader.unknown('a packet load has at most 4 bytes');
  reader.unused('destination', 'offset');
  const isIndirect = (reader.opcode & MODE_MASK) === MODE.ind;
  if (!isIndirect) reader.unused('source');
  const index: Register | undefined = isIndirect ? reader.source : undefined;
  return { kind: 'load-packet', bytes, index, offset: reader.slot.immediate };
}

function decodeAtomic(reader: SlotReader, bytes: AccessBytes): AtomicInstruction {
  const name = ATOMIC_NAMES.get(reader.slot.immediate);
  if (name === undefined) throw reader.unknown(`no atomic operation ${reader.slot.immediate}`);
  const { destination, source } = reader;
  const { offset } = reader.slot;
  if (name === 'loadAcquire') return { kind: 'load-acquire', bytes, destination, base: source, offset };
  const base = destination;
  if (name === 'storeRelease') return { kind: 'store-release', bytes, base, offset, source };
  if (bytes !== 4 && bytes !== 8) throw reader.unknown('an atomic operation has 4 or 8 bytes');
  const place = { bytes, base, offset, source };
  switch (name) {
    case 'exchange':
      return { kind: 'exchange', ...place };
    case 'compareExchange':
      return { kind: 'compare-exchange', ...place };
    case 'add':
    case 'or':
    case 'and':
    case 'xor':
      return { kind: 'atomic', operation: name, fetch: false, ...place };
    case 'fetchAdd':
      return { kind: 'atomic', operation: 'add', fetch: true, ...place };
    case 'fetchOr':
      return { kind: 'atomic', operation: 'or', fetch: true, ...place };
    case 'fetchAnd':
      return { kind: 'atomic', operation: 'and', fetch: true, ...place };
    case 'fetchXor':
      return { kind: 'atomic', operation: 'xor', fetch: true, ...place };
  }
}

function accessBytes(reader: SlotReader): AccessBytes {
  return BYTES_BY_SIZE[(reader.opcode & SIZE_MASK) >> 3] ?? 8;
}

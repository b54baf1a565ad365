import { PSEUDO } from '../isa.js';
import type { Address, WideInstruction } from './instruction.js';
import type { SlotReader } from './slot-reader.js';

/**
 * `ld_imm64`, RFC 9669 section 5.4.
 * @param upper its second slot: an immediate and nothing else
 */
export function decodeWide(reader: SlotReader, upper: SlotReader): WideInstruction {
  if (upper.opcode !== 0) throw reader.truncated('half of a ld_imm64: the next slot is an instruction');
  upper.unused('destination', 'source', 'offset');
  reader.unused('offset');
  const { destination } = reader;
  if (reader.slot.source !== 0) {
    return { kind: 'load-address', destination, address: decodeAddress(reader, upper) };
  }
  const low = BigInt.asUintN(32, BigInt(reader.slot.immediate));
  return { kind: 'load-immediate64', destination, value: (BigInt(upper.slot.immediate) << 32n) | low };
}

function decodeAddress(reader: SlotReader, upper: SlotReader): Address {
  const low = reader.slot.immediate;
  const high = upper.slot.immediate;
  switch (reader.slot.source) {
    case PSEUDO.mapFd:
      upper.unused('immediate');
      return { kind: 'map-fd', mapFd: low };
    case PSEUDO.mapValue:
      return { kind: 'map-value', mapFd: low, byteOffset: high };
    case PSEUDO.variable:
      return { kind: 'variable', typeId: low, btfFd: high };
    case PSEUDO.function:
      upper.unused('immediate');
      return { kind: 'function', offset: low };
    case PSEUDO.mapIndex:
      upper.unused('immediate');
      return { kind: 'map-index', mapIndex: low };
    case PSEUDO.mapIndexValue:
      return { kind: 'map-index-value', mapIndex: low, byteOffset: high };
    default:
      throw reader.reserved('source', 'a subtype from 0 to 6 expected');
  }
}

import { VespidError } from '../../errors/index.js';
import type { ByteReader } from '../byte-reader.js';
import { BTF_KIND, MAX_TYPE_ID, TYPE_HEADER_BYTES, trailingBytes } from './btf-format.js';

/** Bits of `btf_type.info` that no kind uses: 16 to 23, 29 and 30. */
const RESERVED_INFO_BITS = 0x60ff_0000;

/**
 * Where each type of one type section begins and where its name is. The first type has index 0; a place is
 * a byte offset in the section.
 */
export interface BtfTypeIndex {
  readonly places: Uint32Array;
  readonly nameOffsets: Uint32Array;
}

/**
 * One pass over the types. The only hot loop of opening a BTF: it makes no objects, and reads through a view
 * of its own, whose bounds it has checked once for each record.
 * @param firstTypeId id of the first type, for messages and the limit
 * @throws VespidError BTF_MALFORMED
 */
export function indexTypes(types: ByteReader, label: string, firstTypeId: number): BtfTypeIndex {
  const { bytes, byteLength: end } = types;
  const isLittleEndian = types.byteOrder === 'little-endian';
  const view = new DataView(bytes.buffer, bytes.byteOffset, end);
  const capacity = Math.floor(end / TYPE_HEADER_BYTES);
  const places = new Uint32Array(capacity);
  const nameOffsets = new Uint32Array(capacity);
  let count = 0;
  let at = 0;
  while (at + TYPE_HEADER_BYTES <= end) {
    const info = view.getUint32(at + 4, isLittleEndian);
    const kind = (info >>> 24) & 0x1f;
    if (kind === BTF_KIND.void || kind > BTF_KIND.enum64 || (info & RESERVED_INFO_BITS) !== 0) {
      throw malformed(label, `type ${firstTypeId + count} has info 0x${info.toString(16)}: no known kind`);
    }
    places[count] = at;
    nameOffsets[count] = view.getUint32(at, isLittleEndian);
    count++;
    at += TYPE_HEADER_BYTES + trailingBytes(kind, info & 0xffff);
  }
  const lastTypeId = firstTypeId + count - 1;
  if (at !== end) throw malformed(label, `type ${lastTypeId} does not end where the types end, at ${end}`);
  if (lastTypeId > MAX_TYPE_ID) throw malformed(label, `${lastTypeId} types, limit ${MAX_TYPE_ID}`);
  return { places: places.slice(0, count), nameOffsets: nameOffsets.slice(0, count) };
}

function malformed(label: string, message: string): VespidError {
  return new VespidError('BTF_MALFORMED', `${label}: ${message}`, {
    hint: 'the type information is damaged, or newer than what Vespid reads',
  });
}

import { VespidError } from '../../errors/index.js';
import { type ByteReader, MACHINE_BYTE_ORDER } from '../byte-reader.js';
import { BTF_KIND, MAX_TYPE_ID, TYPE_HEADER_BYTES, trailingBytes } from './btf-format.js';

/** Bits of `btf_type.info` that no kind uses: 16 to 23, 29 and 30. */
const RESERVED_INFO_BITS = 0x60ff_0000;

/**
 * Where each type of one type section begins, where its name is and of what kind it is. The first type has index
 * 0; a place is a byte offset in the section.
 */
export interface BtfTypeIndex {
  readonly places: Uint32Array;
  readonly nameOffsets: Uint32Array;
  /** See BTF_KIND. */
  readonly kinds: Uint8Array;
}

/** Words that follow a type's header, by number of its kind: once, and for each entry. */
const FIXED_WORDS = Uint8Array.from({ length: 32 }, (_, kind) => trailingBytes(kind, 0) / 4);
const ENTRY_WORDS = Uint8Array.from(
  { length: 32 },
  (_, kind) => (trailingBytes(kind, 1) - trailingBytes(kind, 0)) / 4,
);
const HEADER_WORDS = TYPE_HEADER_BYTES / 4;

/**
 * One pass over the types. The only hot loop of opening a BTF: it makes no objects and calls no functions, for a
 * process that opens the kernel's BTF once runs most of it before any code is compiled.
 * @param types a whole number of words
 * @param firstTypeId id of the first type, for messages and the limit
 * @throws VespidError BTF_MALFORMED
 */
export function indexTypes(types: ByteReader, label: string, firstTypeId: number): BtfTypeIndex {
  const words = wordsOf(types);
  const end = words.length;
  const capacity = Math.floor(end / HEADER_WORDS);
  const places = new Uint32Array(capacity);
  const nameOffsets = new Uint32Array(capacity);
  const kinds = new Uint8Array(capacity);
  let count = 0;
  let at = 0;
  while (at + HEADER_WORDS <= end) {
    const info = words[at + 1] ?? 0;
    const kind = (info >>> 24) & 0x1f;
    if (kind === BTF_KIND.void || kind > BTF_KIND.enum64 || (info & RESERVED_INFO_BITS) !== 0) {
      throw malformed(label, `type ${firstTypeId + count} has info 0x${info.toString(16)}: no known kind`);
    }
    places[count] = at * 4;
    nameOffsets[count] = words[at] ?? 0;
    kinds[count] = kind;
    count++;
    at += HEADER_WORDS + (FIXED_WORDS[kind] ?? 0) + (info & 0xffff) * (ENTRY_WORDS[kind] ?? 0);
  }
  const lastTypeId = firstTypeId + count - 1;
  if (at !== end) {
    throw malformed(label, `type ${lastTypeId} does not end where the types end, at ${types.byteLength}`);
  }
  if (lastTypeId > MAX_TYPE_ID) throw malformed(label, `${lastTypeId} types, limit ${MAX_TYPE_ID}`);
  return {
    places: places.slice(0, count),
    nameOffsets: nameOffsets.slice(0, count),
    kinds: kinds.slice(0, count),
  };
}

/** The section as 32-bit words of this machine: a view where that can be, else a copy. */
function wordsOf({ bytes, byteOrder }: ByteReader): Uint32Array {
  if (byteOrder === MACHINE_BYTE_ORDER && bytes.byteOffset % 4 === 0) {
    return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = new Uint32Array(bytes.byteLength / 4);
  for (let index = 0; index < words.length; index++) {
    words[index] = view.getUint32(index * 4, byteOrder === 'little-endian');
  }
  return words;
}

function malformed(label: string, message: string): VespidError {
  return new VespidError('BTF_MALFORMED', `${label}: ${message}`, {
    hint: 'the type information is damaged, or newer than what Vespid reads',
  });
}

import type { ByteOrder } from '../byte-reader.js';
import { BTF_HEADER_BYTES } from './btf-format.js';
import { magicByteOrder, splitSections } from './btf-header.js';

/**
 * A BTF blob in the given byte order, with the same ids and string offsets: what BPF_BTF_LOAD wants of an
 * object that was built for another machine. Every field of the types is a word of 32 bits.
 * @param isSplit whether the blob continues another one
 * @throws VespidError BTF_MALFORMED
 */
export function btfInByteOrder(
  bytes: Uint8Array,
  byteOrder: ByteOrder,
  label: string,
  isSplit = false,
): Uint8Array {
  if (magicByteOrder(bytes) === byteOrder) return bytes;
  const { types } = splitSections(bytes, label, isSplit);
  const converted = bytes.slice();
  const typesStart = types.bytes.byteOffset - bytes.byteOffset;
  converted.subarray(0, 2).reverse();
  // Between the words of the header that are known and the types there are only zeros.
  for (let at = 4; at < BTF_HEADER_BYTES; at += 4) converted.subarray(at, at + 4).reverse();
  swapWords(converted, typesStart, typesStart + types.byteLength);
  return converted;
}

function swapWords(bytes: Uint8Array, start: number, end: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = start; at < end; at += 4) view.setUint32(at, view.getUint32(at, true), false);
}

import type { ByteOrder } from '../byte-reader.js';
import { SLOT_BYTES } from '../isa.js';

/**
 * Code of a file in little-endian encoding, in which all of Vespid works. In a big-endian file offset and
 * immediate are big-endian, and the two registers in their byte change places (RFC 9669, section 3).
 * @returns the same bytes if they are little-endian already, else a copy; a last part of a slot stays as it is
 */
export function toLittleEndian(code: Uint8Array, byteOrder: ByteOrder): Uint8Array {
  if (byteOrder === 'little-endian') return code;
  const swapped = code.slice();
  const view = new DataView(swapped.buffer);
  for (let at = 0; at + SLOT_BYTES <= swapped.byteLength; at += SLOT_BYTES) {
    const registers = view.getUint8(at + 1);
    view.setUint8(at + 1, ((registers & 0x0f) << 4) | (registers >> 4));
    view.setUint16(at + 2, view.getUint16(at + 2), true);
    view.setUint32(at + 4, view.getUint32(at + 4), true);
  }
  return swapped;
}

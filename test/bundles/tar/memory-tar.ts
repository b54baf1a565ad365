import { encodeTarHeader, TAR_BLOCK_BYTES, type TarHeader } from '../../../engine/bundles/tar/tar-header.js';
import type { RandomBytes } from '../../../engine/bundles/tar/tar-index.js';

/** A tar file in memory. */
export function memoryTar(bytes: Uint8Array): RandomBytes {
  return {
    byteSize: bytes.length,
    read: async (byteOffset, byteLength) => {
      if (byteOffset + byteLength > bytes.length) throw new Error('read beyond the end');
      return bytes.slice(byteOffset, byteOffset + byteLength);
    },
  };
}

/** One entry of a tar file, with bytes of its header changed by hand. */
export interface RawEntry {
  readonly path: string;
  readonly bytes?: Uint8Array;
  readonly kind?: TarHeader['kind'];
  /** What the header says, when that is not what comes. */
  readonly byteSize?: number;
  /** Text at offsets of the header; the checksum is made to fit. */
  readonly patch?: readonly (readonly [offset: number, text: string])[];
}

/** Blocks for entries, whatever they say. */
export function rawTar(entries: readonly RawEntry[], end = new Uint8Array(2 * TAR_BLOCK_BYTES)): Uint8Array {
  return Buffer.concat([...entries.flatMap(rawEntry), end]);
}

function rawEntry({ path, bytes = new Uint8Array(), kind = 'file', byteSize, patch = [] }: RawEntry) {
  const header = Buffer.from(encodeTarHeader({ path, kind, byteSize: byteSize ?? bytes.length }));
  for (const [offset, text] of patch) header.write(text, offset, 'latin1');
  if (patch.length > 0) fitChecksum(header);
  const padding = (TAR_BLOCK_BYTES - (bytes.length % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
  return [header, bytes, new Uint8Array(padding)];
}

export function fitChecksum(header: Buffer): void {
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

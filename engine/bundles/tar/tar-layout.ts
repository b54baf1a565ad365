import { TAR_BLOCK_BYTES } from './tar-header.js';

/** Where everything is in a tar file before any of it is written. */
export interface TarLayout {
  /** Byte offset of each file's header; its content follows the header. */
  readonly headerOffsets: ReadonlyMap<string, number>;
  /** With the two empty blocks at the end. */
  readonly byteSize: number;
}

/**
 * The same files are at the same places: in the order of their paths, each filled up to whole blocks (POSIX.1-2024,
 * pax, "ustar Interchange Format").
 *
 * @param sizes in bytes, by path
 */
export function tarLayout(sizes: ReadonlyMap<string, number>): TarLayout {
  const headerOffsets = new Map<string, number>();
  let byteOffset = 0;
  for (const [path, byteSize] of [...sizes].sort(([left], [right]) => (left < right ? -1 : 1))) {
    headerOffsets.set(path, byteOffset);
    byteOffset += (1 + Math.ceil(byteSize / TAR_BLOCK_BYTES)) * TAR_BLOCK_BYTES;
  }
  return { headerOffsets, byteSize: byteOffset + 2 * TAR_BLOCK_BYTES };
}

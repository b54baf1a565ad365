import { encodeTarHeader, TAR_BLOCK_BYTES } from '../../../engine/bundles/tar/tar-header.js';
import type { BundleFiles } from '../../../signing/index.js';

/**
 * A bundle as one tar file, in parts to be written one after another. The same files give the same bytes: in the order
 * of their paths, with fixed owner, mode and time.
 */
export function* encodeTar(files: BundleFiles): Generator<Uint8Array, void, undefined> {
  for (const [path, bytes] of [...files].sort(([left], [right]) => (left < right ? -1 : 1))) {
    yield encodeTarHeader({ path, kind: 'file', byteSize: bytes.length });
    yield bytes;
    yield new Uint8Array((TAR_BLOCK_BYTES - (bytes.length % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES);
  }
  yield new Uint8Array(2 * TAR_BLOCK_BYTES);
}

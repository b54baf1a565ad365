import { TAR_BLOCK_BYTES } from '../../../engine/bundles/tar/tar-header.js';
import { indexTar } from '../../../engine/bundles/tar/tar-index.js';
import { encodeTar } from '../../bundles/tar/encode-tar.js';
import { fitChecksum, memoryTar } from '../../bundles/tar/memory-tar.js';
import { SAMPLE_BUNDLE } from '../../signing/sample-bundle.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { mutateBytes } from '../mutation/mutate-bytes.js';
import type { Random } from '../random.js';

const TAR = Buffer.concat([...encodeTar(SAMPLE_BUNDLE)]);

/** Tar files. Whatever is read must be files that stand apart from each other in it, in order. */
export const tar: FuzzTarget = {
  name: 'tar',
  codes: [
    'BUNDLE_NOT_A_BUNDLE',
    'BUNDLE_TAR_MALFORMED',
    'BUNDLE_TAR_UNSUPPORTED',
    'BUNDLE_FILE_NOT_REGULAR',
    'BUNDLE_FILE_UNEXPECTED',
    'BUNDLE_FILE_DUPLICATE',
    'BUNDLE_TOO_LARGE',
  ],
  seeds: () => [TAR],
  mutate: (random, seed, seeds) => withChecksums(random, mutateBytes(random, seed, seeds)),
  run: async (input) => {
    let end = 0;
    for (const [path, { byteOffset, byteSize }] of await indexTar(memoryTar(input), 'fuzzed.tar')) {
      if (byteOffset < end + TAR_BLOCK_BYTES || byteOffset + byteSize > input.length) {
        throw new Error(`${path} stands where another file does, or beyond the end`);
      }
      end = byteOffset + byteSize;
    }
  },
};

/** Mostly makes the checksums fit again, or nothing behind them would ever be tried. */
function withChecksums(random: Random, bytes: Uint8Array): Uint8Array {
  if (random.once(8)) return bytes;
  const fitted = Buffer.from(bytes);
  for (let offset = 0; offset + TAR_BLOCK_BYTES <= fitted.length; offset += TAR_BLOCK_BYTES) {
    const block = fitted.subarray(offset, offset + TAR_BLOCK_BYTES);
    if (block.toString('latin1', 257, 262) === 'ustar') fitChecksum(block);
  }
  return fitted;
}

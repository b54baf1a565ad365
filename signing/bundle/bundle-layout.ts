import { VespidError } from '../../engine/errors/index.js';
import { bytesEqual } from '../documents/bytes.js';
import { contentDigest } from '../documents/content-digest.js';
import type { BundleFiles } from './bundle-content.js';
import { BUNDLE_LIMITS, requireWithinLimit } from './bundle-limits.js';
import {
  blobPath,
  type Descriptor,
  INDEX_PATH,
  isBundlePath,
  LAYOUT_BYTES,
  LAYOUT_PATH,
} from './oci-layout.js';

const REFETCH = 'fetch the bundle again from its source; do not load this copy';

/**
 * First step: the files are those of an OCI image layout and within the limits. Nothing is parsed. The result is
 * a private copy, so that bytes which were checked cannot change before they are used.
 *
 * @throws VespidError BUNDLE_NOT_A_BUNDLE, BUNDLE_FILE_MISSING, BUNDLE_FILE_UNEXPECTED, BUNDLE_TOO_LARGE,
 *   BUNDLE_LAYOUT_UNSUPPORTED
 */
export function checkLayout(files: BundleFiles): BundleFiles {
  if (!files.has(LAYOUT_PATH) && !files.has(INDEX_PATH)) {
    throw new VespidError(
      'BUNDLE_NOT_A_BUNDLE',
      `expected a bundle (${LAYOUT_PATH}, ${INDEX_PATH}, blobs/), found neither ${LAYOUT_PATH} nor ${INDEX_PATH}`,
      { hint: 'give the directory that `vespid sign --out` wrote' },
    );
  }
  checkSizes(files);
  const unexpected = [...files.keys()].find((path) => !isBundlePath(path));
  if (unexpected !== undefined) throw unexpectedFile(unexpected);
  checkLayoutVersion(requireFile(files, LAYOUT_PATH));
  requireFile(files, INDEX_PATH);
  return new Map([...files].map(([path, bytes]) => [path, Uint8Array.from(bytes)]));
}

function checkSizes(files: BundleFiles): void {
  requireWithinLimit(files.size, BUNDLE_LIMITS.maxFiles, 'files in a bundle');
  let totalBytes = 0;
  for (const [path, bytes] of files) {
    requireWithinLimit(bytes.length, BUNDLE_LIMITS.maxFileBytes, `bytes in ${JSON.stringify(path)}`);
    totalBytes += bytes.length;
  }
  requireWithinLimit(totalBytes, BUNDLE_LIMITS.maxTotalBytes, 'bytes in a bundle');
}

function checkLayoutVersion(bytes: Uint8Array): void {
  if (bytesEqual(bytes, LAYOUT_BYTES)) return;
  const expected = new TextDecoder().decode(LAYOUT_BYTES);
  throw new VespidError(
    'BUNDLE_LAYOUT_UNSUPPORTED',
    `${LAYOUT_PATH}: expected exactly ${expected}, found ${bytes.length} other bytes`,
    { hint: REFETCH },
  );
}

/**
 * Second step: every blob has the digest that its path says. Nothing is parsed.
 *
 * @throws VespidError BUNDLE_BLOB_DIGEST_MISMATCH
 */
export function checkBlobDigests(layout: BundleFiles): void {
  for (const [path, bytes] of layout) {
    if (path === LAYOUT_PATH || path === INDEX_PATH) continue;
    const digest = contentDigest(bytes);
    if (blobPath(digest) === path) continue;
    throw new VespidError(
      'BUNDLE_BLOB_DIGEST_MISMATCH',
      `${path}: expected the digest in its path, found ${digest}`,
      {
        hint: REFETCH,
      },
    );
  }
}

/** @throws VespidError BUNDLE_FILE_MISSING */
export function requireFile(layout: BundleFiles, path: string): Uint8Array {
  const bytes = layout.get(path);
  if (bytes !== undefined) return bytes;
  throw new VespidError('BUNDLE_FILE_MISSING', `expected the file ${path}, found none`, { hint: REFETCH });
}

/** Follows descriptors, and remembers which blobs were reached. */
export class BlobReader {
  readonly #layout: BundleFiles;
  readonly #reached = new Set<string>([LAYOUT_PATH, INDEX_PATH]);

  /** @param layout files that passed {@link checkLayout} and {@link checkBlobDigests} */
  constructor(layout: BundleFiles) {
    this.#layout = layout;
  }

  /** @throws VespidError BUNDLE_FILE_MISSING, BUNDLE_BLOB_SIZE_MISMATCH */
  read({ digest, size }: Descriptor): Uint8Array {
    const path = blobPath(digest);
    const bytes = requireFile(this.#layout, path);
    if (bytes.length !== size) {
      throw new VespidError(
        'BUNDLE_BLOB_SIZE_MISMATCH',
        `${path}: expected ${size} bytes as its descriptor says, found ${bytes.length}`,
        { hint: REFETCH },
      );
    }
    this.#reached.add(path);
    return bytes;
  }

  /**
   * Refuses content that nothing refers to: it would travel under a good signature without being signed.
   *
   * @throws VespidError BUNDLE_FILE_UNEXPECTED
   */
  requireAllReached(): void {
    const stray = [...this.#layout.keys()].find((path) => !this.#reached.has(path));
    if (stray !== undefined) throw unexpectedFile(stray);
  }
}

function unexpectedFile(path: string): VespidError {
  return new VespidError(
    'BUNDLE_FILE_UNEXPECTED',
    `expected only files that the bundle's manifests name, found ${JSON.stringify(path)}`,
    { hint: 'remove the file if you put it there; otherwise fetch the bundle again from its source' },
  );
}

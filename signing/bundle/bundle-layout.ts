import { VespidError } from '../../engine/errors/index.js';
import { bytesEqual } from '../documents/bytes.js';
import { contentDigest } from '../documents/content-digest.js';
import { BUNDLE_LIMITS, requireWithinLimit } from './bundle-limits.js';
import type { BundleSource } from './bundle-source.js';
import {
  type BlobReference,
  blobPath,
  INDEX_PATH,
  isBundlePath,
  LAYOUT_BYTES,
  LAYOUT_PATH,
} from './oci-layout.js';

const REFETCH = 'fetch the bundle again from its source; do not load this copy';

/**
 * The files of a bundle by descriptor. Each blob belongs to one descriptor, which claims it before it is read, so
 * that no bytes serve in two roles and none serve in no role.
 */
export class BundleLayout {
  readonly #source: BundleSource;
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #claimed = new Set<string>([LAYOUT_PATH, INDEX_PATH]);
  #emptyConfigClaimed = false;

  private constructor(source: BundleSource, sizes: ReadonlyMap<string, number>) {
    this.#source = source;
    this.#sizes = sizes;
  }

  /**
   * First step of verification: the files are those of an OCI image layout and within the limits. Of their bytes
   * only `oci-layout` is read.
   *
   * @throws VespidError BUNDLE_NOT_A_BUNDLE, BUNDLE_FILE_MISSING, BUNDLE_FILE_UNEXPECTED, BUNDLE_TOO_LARGE,
   *   BUNDLE_LAYOUT_UNSUPPORTED, and those of the source
   */
  static async open(source: BundleSource): Promise<BundleLayout> {
    const sizes = await source.list();
    requireBundlePaths(sizes);
    requireWithinLimits(sizes);
    const layout = new BundleLayout(source, sizes);
    layout.#sizeOf(INDEX_PATH);
    requireLayoutVersion(await layout.#readWhole(LAYOUT_PATH));
    return layout;
  }

  /** The bytes of `index.json`, which no digest covers. */
  readIndex(): Promise<Uint8Array> {
    return this.#readWhole(INDEX_PATH);
  }

  /**
   * Takes a blob for a descriptor; reads nothing.
   *
   * @throws VespidError BUNDLE_FILE_MISSING, BUNDLE_BLOB_SIZE_MISMATCH, BUNDLE_BLOB_SHARED
   */
  claim(descriptor: BlobReference): void {
    const path = blobPath(descriptor.digest);
    const found = this.#sizeOf(path);
    if (found !== descriptor.size) throw sizeMismatch(path, descriptor.size, found);
    if (this.#claimed.has(path)) throw sharedBlob(path);
    this.#claimed.add(path);
  }

  /**
   * The bytes of a claimed blob, which have the size and the digest of its descriptor.
   *
   * @throws VespidError BUNDLE_BLOB_SIZE_MISMATCH, BUNDLE_BLOB_DIGEST_MISMATCH, and those of the source
   */
  async read({ digest, size }: BlobReference): Promise<Uint8Array> {
    const path = blobPath(digest);
    if (!this.#claimed.has(path)) throw new VespidError('INTERNAL', `${path} was read before it was claimed`);
    const bytes = await this.#source.read(path);
    if (bytes.length !== size) throw sizeMismatch(path, size, bytes.length);
    const found = contentDigest(bytes);
    if (found === digest) return bytes;
    throw new VespidError(
      'BUNDLE_BLOB_DIGEST_MISMATCH',
      `${path}: expected the digest in its path, found ${found}`,
      { hint: REFETCH },
    );
  }

  /** Claims a document and reads it. */
  async readDocument(descriptor: BlobReference): Promise<Uint8Array> {
    this.claim(descriptor);
    return this.read(descriptor);
  }

  /** Claims the empty config once, for all attestations: the one blob that several descriptors may name. */
  async claimEmptyConfig(descriptor: BlobReference): Promise<void> {
    if (this.#emptyConfigClaimed) return;
    await this.readDocument(descriptor);
    this.#emptyConfigClaimed = true;
  }

  /**
   * Refuses content that nothing refers to: it would travel under a good signature without being signed.
   *
   * @throws VespidError BUNDLE_FILE_UNEXPECTED
   */
  requireAllClaimed(): void {
    const stray = [...this.#sizes.keys()].find((path) => !this.#claimed.has(path));
    if (stray !== undefined) throw unexpectedFile(stray);
  }

  /** A file without a descriptor, whose size is that of the list and so within the limits. */
  async #readWhole(path: string): Promise<Uint8Array> {
    const size = this.#sizeOf(path);
    const bytes = await this.#source.read(path);
    if (bytes.length !== size) throw sizeMismatch(path, size, bytes.length);
    return bytes;
  }

  #sizeOf(path: string): number {
    const size = this.#sizes.get(path);
    if (size !== undefined) return size;
    throw new VespidError('BUNDLE_FILE_MISSING', `expected the file ${path}, found none`, { hint: REFETCH });
  }
}

function requireBundlePaths(sizes: ReadonlyMap<string, number>): void {
  if (!sizes.has(LAYOUT_PATH) && !sizes.has(INDEX_PATH)) {
    throw new VespidError(
      'BUNDLE_NOT_A_BUNDLE',
      `expected a bundle (${LAYOUT_PATH}, ${INDEX_PATH}, blobs/), found neither ${LAYOUT_PATH} nor ${INDEX_PATH}`,
      { hint: 'give the bundle that `vespid sign --out` wrote' },
    );
  }
  requireWithinLimit(sizes.size, BUNDLE_LIMITS.maxFiles, 'files in a bundle');
  const unexpected = [...sizes.keys()].find((path) => !isBundlePath(path));
  if (unexpected !== undefined) throw unexpectedFile(unexpected);
}

function requireWithinLimits(sizes: ReadonlyMap<string, number>): void {
  let totalBytes = 0;
  for (const [path, size] of sizes) {
    requireWithinLimit(size, BUNDLE_LIMITS.maxFileBytes, `bytes in ${JSON.stringify(path)}`);
    totalBytes += size;
  }
  requireWithinLimit(totalBytes, BUNDLE_LIMITS.maxTotalBytes, 'bytes in a bundle');
}

function requireLayoutVersion(bytes: Uint8Array): void {
  if (bytesEqual(bytes, LAYOUT_BYTES)) return;
  const expected = new TextDecoder().decode(LAYOUT_BYTES);
  throw new VespidError(
    'BUNDLE_LAYOUT_UNSUPPORTED',
    `${LAYOUT_PATH}: expected exactly ${expected}, found ${bytes.length} other bytes`,
    { hint: REFETCH },
  );
}

function sizeMismatch(path: string, expected: number, found: number): VespidError {
  return new VespidError(
    'BUNDLE_BLOB_SIZE_MISMATCH',
    `${path}: expected ${expected} bytes as its descriptor says, found ${found}`,
    { hint: REFETCH },
  );
}

function sharedBlob(path: string): VespidError {
  return new VespidError(
    'BUNDLE_BLOB_SHARED',
    `${path}: expected one descriptor to name it, found a second one`,
    { hint: 'bytes have one role in a bundle; leave out the file that is there twice and sign again' },
  );
}

function unexpectedFile(path: string): VespidError {
  return new VespidError(
    'BUNDLE_FILE_UNEXPECTED',
    `expected only files that the bundle's manifests name, found ${JSON.stringify(path)}`,
    { hint: 'remove the file if you put it there; otherwise fetch the bundle again from its source' },
  );
}

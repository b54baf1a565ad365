import { BUNDLE_LIMITS, isBundlePath } from '../../../signing/index.js';
import { VespidError } from '../../errors/index.js';
import { notABundle, notRegular, unexpectedPath } from '../bundle-refusals.js';
import {
  decodeTarHeader,
  isZeroBlock,
  looksLikeTar,
  TAR_BLOCK_BYTES,
  type TarFault,
  type TarHeader,
} from './tar-header.js';

/** Bytes of a file at offsets. */
export interface RandomBytes {
  readonly byteSize: number;
  /** Exactly these bytes, all of which lie in the file. */
  read(byteOffset: number, byteLength: number): Promise<Uint8Array>;
}

/** Where a file stands in a tar file. */
export interface TarExtent {
  readonly byteOffset: number;
  readonly byteSize: number;
}

/** The directories that a bundle has; `''` is its top, which `tar -C DIR -cf BUNDLE.tar .` writes as `./`. */
const DIRECTORIES = new Set(['', 'blobs', 'blobs/sha256']);
/** Every file has a header and less than a block of padding; GNU tar fills up to its record of 10 KiB. */
const MAX_TAR_BYTES =
  BUNDLE_LIMITS.maxTotalBytes + BUNDLE_LIMITS.maxFiles * 2 * TAR_BLOCK_BYTES + 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

/**
 * Finds the files of a bundle in a tar file. Only headers, padding and the end are read, no file. Two readers of one
 * tar file must not see two bundles, so what tar knows beyond regular files and directories is refused: links,
 * devices, long names, sparse files, pax records, a name twice, bytes between or behind the files.
 *
 * @param label names the tar file in messages
 * @throws VespidError BUNDLE_NOT_A_BUNDLE, BUNDLE_TAR_MALFORMED, BUNDLE_TAR_UNSUPPORTED, BUNDLE_FILE_NOT_REGULAR,
 *   BUNDLE_FILE_UNEXPECTED, BUNDLE_FILE_DUPLICATE, BUNDLE_TOO_LARGE
 */
export async function indexTar(tar: RandomBytes, label: string): Promise<ReadonlyMap<string, TarExtent>> {
  if (tar.byteSize < TAR_BLOCK_BYTES) throw notABundle(label);
  if (!looksLikeTar(await tar.read(0, TAR_BLOCK_BYTES))) throw notABundle(label);
  if (tar.byteSize > MAX_TAR_BYTES) throw tooLarge(label, `${MAX_TAR_BYTES} bytes`);
  return new TarIndexer(tar, label).run();
}

class TarIndexer {
  readonly #tar: RandomBytes;
  readonly #label: string;
  readonly #files = new Map<string, TarExtent>();
  readonly #directories = new Set<string>();
  #byteOffset = 0;

  constructor(tar: RandomBytes, label: string) {
    this.#tar = tar;
    this.#label = label;
  }

  async run(): Promise<ReadonlyMap<string, TarExtent>> {
    for (;;) {
      const block = await this.#take(TAR_BLOCK_BYTES, 'a header or the end');
      if (isZeroBlock(block)) break;
      await this.#addEntry(this.#headerOf(block));
    }
    await this.#requireEnd();
    return this.#files;
  }

  #headerOf(block: Uint8Array): TarHeader {
    const header = decodeTarHeader(block);
    if ('fault' in header) throw this.#refuseHeader(header, block);
    return header;
  }

  #refuseHeader({ fault, reason }: TarFault, block: Uint8Array): VespidError {
    if (fault === 'malformed') return this.#malformed(reason);
    const name = JSON.stringify(Buffer.from(block.subarray(0, 100)).toString('latin1').replace(/\0.*/s, ''));
    if (fault === 'not-regular') return notRegular(`${this.#label}, ${name}`);
    return new VespidError('BUNDLE_TAR_UNSUPPORTED', `${this.#label}, ${name}: expected ${reason}`, {
      hint: 'write the tar file with `vespid sign --out NAME.tar`, or with tar --format=ustar',
    });
  }

  async #addEntry({ path, kind, byteSize }: TarHeader): Promise<void> {
    const name = path.replace(/^\.\//, '');
    if (kind === 'directory') return this.#addDirectory(name.replace(/\/$/, ''), path);
    if (!isBundlePath(name)) throw unexpectedPath(this.#label, path);
    if (this.#files.has(name)) throw this.#duplicate(path);
    if (this.#files.size === BUNDLE_LIMITS.maxFiles)
      throw tooLarge(this.#label, `${BUNDLE_LIMITS.maxFiles} files`);
    if (byteSize > BUNDLE_LIMITS.maxFileBytes) {
      throw tooLarge(`${this.#label}, ${name}`, `${BUNDLE_LIMITS.maxFileBytes} bytes`);
    }
    this.#files.set(name, { byteOffset: this.#byteOffset, byteSize });
    await this.#skipFile(byteSize, name);
  }

  #addDirectory(name: string, path: string): void {
    if (!DIRECTORIES.has(name)) throw unexpectedPath(this.#label, path);
    if (this.#directories.has(name)) throw this.#duplicate(path);
    this.#directories.add(name);
  }

  async #skipFile(byteSize: number, name: string): Promise<void> {
    if (byteSize > this.#tar.byteSize - this.#byteOffset) {
      throw this.#malformed(`${byteSize} bytes of ${name}, found the end of the file before`);
    }
    this.#byteOffset += byteSize;
    const paddingBytes = (TAR_BLOCK_BYTES - (byteSize % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
    const padding = await this.#take(paddingBytes, `the padding of ${name}`);
    if (!isZeroBlock(padding)) throw this.#malformed(`zeros behind ${name}, found other bytes`);
  }

  /** The second block of zeros, and then nothing but zeros: GNU tar fills up its last record with them. */
  async #requireEnd(): Promise<void> {
    if (!isZeroBlock(await this.#take(TAR_BLOCK_BYTES, 'a second block of zeros'))) {
      throw this.#malformed('two blocks of zeros at the end, found one');
    }
    if (this.#tar.byteSize % TAR_BLOCK_BYTES !== 0) {
      throw this.#malformed(`whole blocks of ${TAR_BLOCK_BYTES} bytes, found ${this.#tar.byteSize} bytes`);
    }
    while (this.#byteOffset < this.#tar.byteSize) {
      const chunk = await this.#take(Math.min(CHUNK_BYTES, this.#tar.byteSize - this.#byteOffset), 'zeros');
      if (!isZeroBlock(chunk)) throw this.#malformed('nothing behind the end of the archive, found bytes');
    }
  }

  async #take(byteLength: number, what: string): Promise<Uint8Array> {
    if (byteLength > this.#tar.byteSize - this.#byteOffset) {
      throw this.#malformed(`${what}, found the end of the file`);
    }
    const bytes = await this.#tar.read(this.#byteOffset, byteLength);
    this.#byteOffset += byteLength;
    return bytes;
  }

  #malformed(expectation: string): VespidError {
    return new VespidError(
      'BUNDLE_TAR_MALFORMED',
      `${this.#label}, at byte ${this.#byteOffset}: expected ${expectation}`,
      { hint: 'fetch the bundle again from its source, or write it with `vespid sign --out NAME.tar`' },
    );
  }

  #duplicate(path: string): VespidError {
    return new VespidError(
      'BUNDLE_FILE_DUPLICATE',
      `${this.#label}: expected each file once, found ${JSON.stringify(path)} again`,
      { hint: 'write the tar file anew (tar -c, not tar -r or -u)' },
    );
  }
}

function tooLarge(path: string, limit: string): VespidError {
  return new VespidError('BUNDLE_TOO_LARGE', `${path}: expected at most ${limit}, found more`, {
    hint: 'split the policies and objects over several bundles',
  });
}

import { VespidError } from '../../engine/errors/index.js';
import type { BundleFiles } from './bundle-content.js';

/**
 * Where the files of a bundle come from. What it gives is not trusted: sizes and digests are compared by those who
 * read. One that cannot give a file refuses with a typed error.
 */
export interface BundleSource {
  /** A path or a reference, for messages. */
  readonly label: string;
  /** Path to size in bytes, before anything is read. */
  list(): Promise<ReadonlyMap<string, number>>;
  /**
   * A private copy of a file's bytes. Verification reads each path at most once.
   *
   * @param path one of {@link list}
   */
  read(path: string): Promise<Uint8Array>;
}

/** A bundle whose files are all in memory. */
export class MemoryBundle implements BundleSource {
  readonly #files: BundleFiles;

  constructor(
    files: BundleFiles,
    readonly label = 'the bundle',
  ) {
    this.#files = files;
  }

  async list(): Promise<ReadonlyMap<string, number>> {
    return new Map([...this.#files].map(([path, bytes]) => [path, bytes.length]));
  }

  async read(path: string): Promise<Uint8Array> {
    const bytes = this.#files.get(path);
    if (bytes === undefined) throw new VespidError('INTERNAL', `${path} was read, which was not listed`);
    return Uint8Array.from(bytes);
  }
}

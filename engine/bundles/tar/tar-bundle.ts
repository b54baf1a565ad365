import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import type { BundleSource } from '../../../signing/index.js';
import { VespidError } from '../../errors/index.js';
import { fileChanged } from '../bundle-refusals.js';
import { openRegularFile, readExactly } from '../regular-file.js';
import { indexTar, type TarExtent } from './tar-index.js';

interface Listing {
  readonly extents: ReadonlyMap<string, TarExtent>;
  readonly status: BigIntStats;
}

/** A bundle in one tar file. */
export class TarBundle implements BundleSource {
  #listing: Listing | undefined;

  constructor(readonly label: string) {}

  /** @throws VespidError those of {@link indexTar}, INPUT_UNREADABLE, BUNDLE_FILE_NOT_REGULAR */
  async list(): Promise<ReadonlyMap<string, number>> {
    const { extents } = await this.#withFile(async (handle) => {
      const status = await handle.stat({ bigint: true });
      const tar = {
        byteSize: Number(status.size),
        read: (byteOffset: number, byteLength: number) =>
          readExactly(handle, this.label, byteOffset, byteLength),
      };
      this.#listing = { extents: await indexTar(tar, this.label), status };
      return this.#listing;
    });
    return new Map([...extents].map(([path, { byteSize }]) => [path, byteSize]));
  }

  /**
   * Reads a file where it was when it was listed. It is another file only if the tar file was written meanwhile, which
   * its status tells in most cases and the digest of the blob in all.
   *
   * @throws VespidError BUNDLE_FILE_CHANGED, INPUT_UNREADABLE
   */
  async read(path: string): Promise<Uint8Array> {
    const { extents, status } = this.#listing ?? { extents: undefined, status: undefined };
    const extent = extents?.get(path);
    if (extent === undefined || status === undefined) {
      throw new VespidError('INTERNAL', `${path} was read, which was not listed`);
    }
    return this.#withFile(async (handle) => {
      const now = await handle.stat({ bigint: true });
      const isSame = (['dev', 'ino', 'size', 'mtimeNs'] as const).every(
        (field) => now[field] === status[field],
      );
      if (!isSame) throw fileChanged(this.label, Number(status.size));
      return readExactly(handle, this.label, extent.byteOffset, extent.byteSize);
    });
  }

  async #withFile<Result>(use: (handle: FileHandle) => Promise<Result>): Promise<Result> {
    const handle = await openRegularFile(this.label, 'follow');
    try {
      return await use(handle);
    } finally {
      await handle.close();
    }
  }
}

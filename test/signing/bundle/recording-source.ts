import { type BundleFiles, type BundleSource, MemoryBundle } from '../../../signing/index.js';

/** Remembers what is read of a bundle, in order. */
export class RecordingSource implements BundleSource {
  readonly label = 'recorded';
  readonly reads: string[] = [];
  readonly #bundle: MemoryBundle;

  constructor(files: BundleFiles) {
    this.#bundle = new MemoryBundle(files);
  }

  list(): Promise<ReadonlyMap<string, number>> {
    return this.#bundle.list();
  }

  read(path: string): Promise<Uint8Array> {
    this.reads.push(path);
    return this.#bundle.read(path);
  }
}

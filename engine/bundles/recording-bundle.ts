import type { BundleSource } from '../../signing/index.js';
import { VespidError } from '../errors/index.js';

/**
 * A bundle that remembers the bytes it gave out. What was read and checked is then what is written or sent: the
 * source is not asked a second time, when it could answer otherwise.
 */
export class RecordingBundle implements BundleSource {
  readonly label: string;
  readonly #source: BundleSource;
  readonly #read = new Map<string, Uint8Array>();

  constructor(source: BundleSource) {
    this.#source = source;
    this.label = source.label;
  }

  list(): Promise<ReadonlyMap<string, number>> {
    return this.#source.list();
  }

  async read(path: string): Promise<Uint8Array> {
    const bytes = await this.#source.read(path);
    // The reader's copy is its own to change.
    this.#read.set(path, Uint8Array.from(bytes));
    return bytes;
  }

  /**
   * Every file of the bundle, by path.
   *
   * @throws VespidError INTERNAL when one of them was never read, and so never checked
   */
  async recorded(): Promise<ReadonlyMap<string, Uint8Array>> {
    const paths = [...(await this.list()).keys()];
    const unread = paths.find((path) => !this.#read.has(path));
    if (unread !== undefined)
      throw new VespidError('INTERNAL', `${unread} was not read when the bundle was checked`);
    return this.#read;
  }
}

import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { BundleSource } from '../../../signing/index.js';

setFlagsFromString('--expose-gc');
// The flag gives new contexts a global function: a full collection, done when it returns.
const collectGarbage: () => void = runInNewContext('gc');

/** Counts which of the arrays that it gave out somebody still refers to. */
export class CountingSource implements BundleSource {
  readonly label = 'counted';
  readonly #bundle: BundleSource;
  readonly #given: WeakRef<Uint8Array>[] = [];

  constructor(bundle: BundleSource) {
    this.#bundle = bundle;
  }

  list(): Promise<ReadonlyMap<string, number>> {
    return this.#bundle.list();
  }

  async read(path: string): Promise<Uint8Array> {
    const bytes = await this.#bundle.read(path);
    this.#given.push(new WeakRef(bytes));
    return bytes;
  }

  async countLiving(): Promise<number> {
    // A weak reference keeps its target until the job ends that made or followed it.
    await setImmediate();
    collectGarbage();
    return this.#given.filter((reference) => reference.deref() !== undefined).length;
  }
}

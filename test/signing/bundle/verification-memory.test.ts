import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { acceptBundle, type BundleSource, MemoryBundle, readVerifiedBundle } from '../../../signing/index.js';
import {
  CI_KEY,
  NOW,
  SAMPLE_BUNDLE,
  samplePolicyClaim,
  samplePredicate,
  signBundle,
  TRUST_CI,
  utf8,
} from '../sample-bundle.js';

const FILES = 48;
/** What may live while files are read one by one: the one in use, one on its way, and what a register still holds. */
const FEW = 4;

setFlagsFromString('--expose-gc');
// The flag gives new contexts a global function: a full collection, done when it returns.
const collectGarbage: () => void = runInNewContext('gc');

/** Counts which of the arrays that it gave out somebody still refers to. */
class CountingSource implements BundleSource {
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

async function largeBundle(): Promise<CountingSource> {
  const policies = Array.from({ length: FILES }, (_, index) => ({
    name: `policy-${index}.yaml`,
    bytes: utf8(`policy ${index}`),
  }));
  const predicate = { ...samplePredicate([]), policies: policies.map(({ name }) => samplePolicyClaim(name)) };
  const files = await signBundle({ name: 'large', policies, objects: [] }, predicate, CI_KEY);
  expect(files.size).toBeGreaterThan(SAMPLE_BUNDLE.size);
  return new CountingSource(new MemoryBundle(files));
}

describe('the memory that verification takes', () => {
  test('grows with the largest file, not with the bundle', async () => {
    const source = await largeBundle();
    const accepted = await acceptBundle(source, TRUST_CI, NOW);
    expect(await source.countLiving()).toBeLessThanOrEqual(FEW);
    let most = 0;
    let count = 0;
    for await (const { bytes } of accepted.files()) {
      expect(bytes.length).toBeGreaterThan(0);
      most = Math.max(most, await source.countLiving());
      count++;
    }
    expect(count).toBe(FILES);
    expect(most).toBeLessThanOrEqual(FEW);
  });

  test('is that of all files for a bundle that carries them', async () => {
    const source = await largeBundle();
    const verified = await readVerifiedBundle(await acceptBundle(source, TRUST_CI, NOW));
    expect(await source.countLiving()).toBeGreaterThanOrEqual(FILES);
    expect(verified.policies).toHaveLength(FILES);
  });
});

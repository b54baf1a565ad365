import { describe, expect, test } from 'vitest';
import { acceptBundle, MemoryBundle, readVerifiedBundle } from '../../../signing/index.js';
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
import { CountingSource } from './counting-source.js';

const FILES = 48;
/** What may live while files are read one by one: the one in use, one on its way, and what a register still holds. */
const FEW = 4;

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

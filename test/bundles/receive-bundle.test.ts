import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openBundleSource, receiveBundle, writeBundle } from '../../engine/bundles/index.js';
import { acceptBundle, type BundleSource, MemoryBundle } from '../../signing/index.js';
import { CountingSource } from '../signing/bundle/counting-source.js';
import {
  CI_KEY,
  NOW,
  SAMPLE_BUNDLE,
  SAMPLE_INPUT,
  samplePolicyClaim,
  samplePredicate,
  signBundle,
  TRUST_CI,
  utf8,
} from '../signing/sample-bundle.js';
import { encodeTar } from './tar/encode-tar.js';

const POLICIES = 60;
/** What may live while files are read one by one: the one in use, one on its way, and what a register still holds. */
const FEW = 4;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'vespid-receive-'));
});
afterEach(() => rmSync(root, { recursive: true }));

async function readFiles(path: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const source = await openBundleSource(path);
  const files = new Map<string, Uint8Array>();
  for (const name of (await source.list()).keys()) files.set(name, await source.read(name));
  return files;
}

async function verify(source: BundleSource, atEach: () => Promise<void> = async () => undefined) {
  const accepted = await acceptBundle(source, TRUST_CI, NOW);
  for await (const { bytes } of accepted.files()) {
    expect(bytes.length).toBeGreaterThan(0);
    await atEach();
  }
}

describe.each([{ target: 'starter.bundle' }, { target: 'starter.tar' }])('$target', ({ target }) => {
  test('is what was checked, byte for byte, and nothing stands beside it', async () => {
    await receiveBundle(join(root, target), new MemoryBundle(SAMPLE_BUNDLE), verify);
    expect(await readFiles(join(root, target))).toEqual(SAMPLE_BUNDLE);
    expect(readdirSync(root)).toEqual([target]);
  });

  test('is not there before the check is over', async () => {
    await receiveBundle(join(root, target), new MemoryBundle(SAMPLE_BUNDLE), async (source) => {
      await verify(source);
      expect(readdirSync(root)).not.toContain(target);
    });
    expect(readdirSync(root)).toEqual([target]);
  });

  test.each<{ what: string; source: BundleSource; check: typeof verify; code: string }>([
    {
      what: 'the check refuses after it read everything',
      source: new MemoryBundle(SAMPLE_BUNDLE),
      check: async (source) => {
        await verify(source);
        throw Object.assign(new Error('no'), { code: 'REFUSED' });
      },
      code: 'REFUSED',
    },
    {
      what: 'a file is another than was signed',
      source: alteredObject(),
      check: verify,
      code: 'BUNDLE_BLOB_DIGEST_MISMATCH',
    },
    {
      what: 'the check leaves a file out',
      source: new MemoryBundle(SAMPLE_BUNDLE),
      check: async (source) => {
        await acceptBundle(source, TRUST_CI, NOW);
      },
      code: 'INTERNAL',
    },
  ])('leaves the older bundle and nothing else when $what', async ({ source, check, code }) => {
    const older = await signBundle({ ...SAMPLE_INPUT, objects: [] }, samplePredicate([]), CI_KEY);
    await writeBundle(join(root, target), older);
    await expect(receiveBundle(join(root, target), source, check)).rejects.toMatchObject({ code });
    expect(await readFiles(join(root, target))).toEqual(older);
    expect(readdirSync(root)).toEqual([target]);
  });

  test('takes memory by its largest file, not by all of them', async () => {
    const source = new CountingSource(new MemoryBundle(await manyPolicies()));
    let most = 0;
    let count = 0;
    await receiveBundle(join(root, target), source, (received) =>
      verify(received, async () => {
        most = Math.max(most, await source.countLiving());
        count++;
      }),
    );
    expect(count).toBe(POLICIES);
    expect(most).toBeLessThanOrEqual(FEW);
  });
});

test('a tar file is the same bytes in whatever order its files were read', async () => {
  await receiveBundle(join(root, 'x.tar'), new MemoryBundle(SAMPLE_BUNDLE), verify);
  expect(readFileSync(join(root, 'x.tar'))).toEqual(Buffer.concat([...encodeTar(SAMPLE_BUNDLE)]));
});

/** The sample with an object whose last byte is another: read after all that is signed. */
function alteredObject(): BundleSource {
  const bytes = Uint8Array.from(SAMPLE_INPUT.objects.at(-1)?.bytes ?? []);
  const path = `blobs/sha256/${createHash('sha256').update(bytes).digest('hex')}`;
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  return new MemoryBundle(new Map(SAMPLE_BUNDLE).set(path, bytes));
}

async function manyPolicies() {
  const policies = Array.from({ length: POLICIES }, (_, index) => ({
    name: `policy-${index}.yaml`,
    bytes: utf8(`policy ${index}`),
  }));
  const predicate = { ...samplePredicate([]), policies: policies.map(({ name }) => samplePolicyClaim(name)) };
  return signBundle({ name: 'many', policies, objects: [] }, predicate, CI_KEY);
}

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ERROR_CODES, VespidError } from '../../../engine/errors/index.js';
import type { BundleFiles } from '../../../signing/index.js';
import { readdress } from '../forged-bundle.js';
import {
  CI_KEY,
  rejectionOf,
  SAMPLE_BUNDLE,
  SAMPLE_INPUT,
  samplePolicyClaim,
  samplePredicate,
  sha256,
  signBundle,
  utf8,
  verify,
} from '../sample-bundle.js';

describe('one changed byte anywhere is refused', () => {
  for (const [path, bytes] of SAMPLE_BUNDLE) {
    test.each([0x01, 0x80])(`${path.slice(0, 24)} (${bytes.length} bytes) ^ %i`, async (mask) => {
      for (let offset = 0; offset < bytes.length; offset++) {
        const flipped = bytes.slice();
        flipped[offset] = (flipped[offset] ?? 0) ^ mask;
        const refusal = await rejectionOf(() => verify(new Map(SAMPLE_BUNDLE).set(path, flipped)));
        expect(ERROR_CODES[refusal.code].exit, `${path} at ${offset}: ${refusal.message}`).toBe(3);
        if (path.startsWith('blobs/')) expect(refusal.code).toBe('BUNDLE_BLOB_DIGEST_MISMATCH');
      }
    });
  }

  test.each([...SAMPLE_BUNDLE.keys()])('a byte more or less in %s', async (path) => {
    const bytes = SAMPLE_BUNDLE.get(path) ?? new Uint8Array();
    for (const changed of [
      Uint8Array.of(...bytes, 0x20),
      Uint8Array.of(...bytes, 0x0a),
      bytes.slice(0, -1),
    ]) {
      const refusal = await rejectionOf(() => verify(new Map(SAMPLE_BUNDLE).set(path, changed)));
      expect(refusal.exitCode).toBe(3);
    }
  });

  test('also when every digest and size is made to fit again', async () => {
    const blobs = [...SAMPLE_BUNDLE.keys()].filter((path) => path.startsWith('blobs/'));
    const place = fc.record({
      path: fc.constantFrom(...blobs),
      offset: fc.nat({ max: 10_000 }),
      mask: fc.integer({ min: 1, max: 255 }),
    });
    await fc.assert(
      fc.asyncProperty(place, async ({ path, offset, mask }) => {
        const bytes = (SAMPLE_BUNDLE.get(path) ?? new Uint8Array()).slice();
        const at = offset % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ mask;
        const refusal = await rejectionOf(() => verify(readdress(SAMPLE_BUNDLE, path, bytes)));
        expect(refusal.exitCode).toBe(3);
      }),
      { numRuns: 300 },
    );
  });
});

/** Every code with which the verifier may refuse. */
const REFUSALS = new Set(
  Object.keys(ERROR_CODES).filter((code) => code.startsWith('BUNDLE_') && !code.startsWith('BUNDLE_OUTPUT')),
);

describe('fuzz', async () => {
  const paths = fc.constantFrom(
    ...SAMPLE_BUNDLE.keys(),
    'x',
    '',
    'blobs/sha256/',
    `blobs/sha256/${sha256(utf8(''))}`,
  );
  const unrelated = await signBundle(
    { name: 'unrelated', policies: [{ name: 'u.yaml', bytes: utf8('u') }], objects: [] },
    { ...samplePredicate([]), policies: [samplePolicyClaim('u.yaml')] },
    CI_KEY,
  );
  const documents = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json({ maxDepth: 4 }).map(utf8),
    fc.constantFrom(...unrelated.values()),
  );

  test('arbitrary files are refused with a documented code', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(paths, documents), { maxLength: 6 }),
        fc.boolean(),
        async (changes, whole) => {
          const files = new Map([...(whole ? SAMPLE_BUNDLE : []), ...changes]);
          await expectDocumentedOutcome(files);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('documents replaced under fitting digests are refused with a documented code', async () => {
    const blobs = [...SAMPLE_BUNDLE.keys()].filter((path) => path.startsWith('blobs/'));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...blobs), documents, async (path, bytes) => {
        // A document that names the blob it replaces has no fitting digest.
        fc.pre(!new TextDecoder().decode(bytes).includes(path.slice('blobs/sha256/'.length)));
        await expectDocumentedOutcome(readdress(SAMPLE_BUNDLE, path, bytes));
      }),
      { numRuns: 300 },
    );
  });
});

async function expectDocumentedOutcome(files: BundleFiles): Promise<void> {
  try {
    const { policies, objects } = await verify(files);
    expect({ policies, objects }).toEqual({ policies: SAMPLE_INPUT.policies, objects: SAMPLE_INPUT.objects });
  } catch (error) {
    if (!(error instanceof VespidError)) throw error;
    expect(REFUSALS, error.message).toContain(error.code);
  }
}

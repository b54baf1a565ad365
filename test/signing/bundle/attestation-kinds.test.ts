import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { encodeSigstoreBundle } from '../../../signing/attestation/sigstore-bundle.js';
import {
  addAttestation,
  type BundleFiles,
  createBundle,
  KeySigner,
  MemoryBundle,
  PREDICATE_TYPE,
  PROVENANCE_TYPE,
  type Provenance,
} from '../../../signing/index.js';
import { attach, attestationOf, editText, findBlob, resign } from '../forged-bundle.js';
import {
  CI_KEY,
  expectRejection,
  RELEASE_KEY,
  SAMPLE_BUNDLE,
  SAMPLE_INPUT,
  SAMPLE_PREDICATE,
  STRANGER_KEY,
  signBundle,
  trustIn,
  utf8,
  verify,
} from '../sample-bundle.js';
import { trustPolicy } from '../trust/trust-evidence.js';

const BUILDER = 'https://github.com/acme/sensors/.github/workflows/release.yml@refs/tags/v1';
const PROVENANCE: Provenance = {
  buildDefinition: {
    buildType: 'https://builder.example/v1',
    externalParameters: {},
    resolvedDependencies: [{ uri: 'git+https://github.com/acme/sensors@refs/tags/v1' }],
  },
  runDetails: { builder: { id: BUILDER } },
};

/** The sample with provenance by the same key. */
const BUILT = await createBundle(SAMPLE_INPUT, SAMPLE_PREDICATE, [new KeySigner(CI_KEY)], PROVENANCE);

/** Content by one key, provenance by another. */
async function signedAndBuilt(content: typeof CI_KEY, provenance: typeof CI_KEY): Promise<BundleFiles> {
  const built = await createBundle(SAMPLE_INPUT, SAMPLE_PREDICATE, [new KeySigner(provenance)], PROVENANCE);
  const signed = await signBundle(SAMPLE_INPUT, SAMPLE_PREDICATE, content);
  const bytes = built.get(provenancePath(built)) ?? utf8('');
  return attach(signed, bytes, relabel(signed, PREDICATE_TYPE, PROVENANCE_TYPE));
}

/** Path of the Sigstore bundle with provenance in it. */
function provenancePath(files: BundleFiles): string {
  const bundles = [...files].filter(([, bytes]) =>
    new TextDecoder().decode(bytes).includes('"dsseEnvelope"'),
  );
  const found = bundles.find(([, bytes]) => {
    const { payload } = JSON.parse(new TextDecoder().decode(bytes)).dsseEnvelope;
    return Buffer.from(payload, 'base64').toString().includes(PROVENANCE_TYPE);
  });
  if (found === undefined) throw new Error('no provenance');
  return found[0];
}

function relabel(files: BundleFiles, from: string, to: string): BundleFiles {
  const path = findBlob(files, '"subject":{"digest"', `predicateType":"${from}"`);
  return editText(files, path, (text) => text.replace(`predicateType":"${from}"`, `predicateType":"${to}"`));
}

describe('SLSA provenance', () => {
  test('is a second attestation, and is given out with who states it', async () => {
    const { provenance, signers, decision } = await verify(BUILT);
    expect(provenance).toEqual([
      {
        signerId: 'ci',
        identity: { kind: 'key', keyId: CI_KEY.keyId },
        builder: BUILDER,
        repositories: ['https://github.com/acme/sensors'],
        predicate: PROVENANCE,
      },
    ]);
    expect(signers.map(({ id }) => id)).toEqual(['ci']);
    expect(decision.signers).toHaveLength(1);
  });

  test('meets what the trust policy asks for, by a trusted signer only', async () => {
    const trust = trustPolicy(
      `threshold: 1\nkeys: [{ id: ci, publicKey: ci.pub }]\nprovenance: { builders: ["${BUILDER}"] }`,
    );
    expect((await verify(BUILT, trust)).decision.accepted).toBe(true);
    const byStranger = await signedAndBuilt(CI_KEY, STRANGER_KEY);
    expect((await verify(byStranger)).provenance).toEqual([]);
    await expectRejection('BUNDLE_PROVENANCE_NOT_MET', () => verify(byStranger, trust));
  });

  test('never counts for a threshold', async () => {
    const trust = trustIn({ ci: CI_KEY, release: RELEASE_KEY }, 2);
    const files = await signedAndBuilt(CI_KEY, RELEASE_KEY);
    expect((await verify(files)).signers).toHaveLength(1);
    await expectRejection('BUNDLE_THRESHOLD_NOT_MET', () => verify(files, trust));
    await expectRejection('BUNDLE_SIGNER_UNKNOWN', () => verify(files, trustIn({ release: RELEASE_KEY })));
  });

  test('alone attests nothing', async () => {
    const files = relabel(SAMPLE_BUNDLE, PREDICATE_TYPE, PROVENANCE_TYPE);
    await expectRejection('BUNDLE_UNSIGNED', () => verify(files));
    expect(BUILT.size).toBe(SAMPLE_BUNDLE.size + 2);
  });

  test('of an unknown signer is not even parsed', async () => {
    const nonsense = resign(SAMPLE_BUNDLE, STRANGER_KEY, () => 'not JSON at all');
    const template = relabel(SAMPLE_BUNDLE, PREDICATE_TYPE, PROVENANCE_TYPE);
    const files = attach(SAMPLE_BUNDLE, encodeSigstoreBundle(attestationOf(nonsense)), template);
    expect((await verify(files)).provenance).toEqual([]);
    const trust = trustIn({ ci: CI_KEY, stranger: STRANGER_KEY });
    await expectRejection('BUNDLE_JSON_MALFORMED', () => verify(files, trust));
  });

  test('stays when a signer is added', async () => {
    const added = await addAttestation(new MemoryBundle(BUILT), new KeySigner(RELEASE_KEY), () => undefined);
    const { provenance, signers } = await verify(added, trustIn({ ci: CI_KEY, release: RELEASE_KEY }, 2));
    expect(provenance).toHaveLength(1);
    expect(signers).toHaveLength(2);
    expect(await addAttestation(new MemoryBundle(BUILT), new KeySigner(CI_KEY), () => undefined)).toEqual(
      BUILT,
    );
  });
});

describe('what an attestation says that it is about', async () => {
  const other = await createBundle(
    { ...SAMPLE_INPUT, name: 'other' },
    SAMPLE_PREDICATE,
    [new KeySigner(CI_KEY)],
    PROVENANCE,
  );
  const template = relabel(SAMPLE_BUNDLE, PREDICATE_TYPE, PROVENANCE_TYPE);

  test.each<{ name: string; files: () => BundleFiles; code: ErrorCode }>([
    {
      name: 'content under the name of provenance, beside the content',
      files: () => {
        const again = resign(SAMPLE_BUNDLE, CI_KEY, (text) => text.replace('GPL', 'MIT'));
        return attach(SAMPLE_BUNDLE, encodeSigstoreBundle(attestationOf(again)), template);
      },
      code: 'BUNDLE_STATEMENT_INVALID',
    },
    {
      name: 'provenance under the name of content',
      files: () => relabel(BUILT, PROVENANCE_TYPE, PREDICATE_TYPE),
      code: 'BUNDLE_ATTESTATIONS_DISAGREE',
    },
    {
      name: 'only provenance, under the name of content',
      files: () => {
        const bytes = BUILT.get(provenancePath(BUILT)) ?? utf8('');
        const payload = Buffer.from(
          JSON.parse(new TextDecoder().decode(bytes)).dsseEnvelope.payload,
          'base64',
        );
        return resign(SAMPLE_BUNDLE, CI_KEY, () => payload.toString());
      },
      code: 'BUNDLE_STATEMENT_INVALID',
    },
    {
      name: 'provenance of another bundle',
      files: () => attach(SAMPLE_BUNDLE, other.get(provenancePath(other)) ?? utf8(''), template),
      code: 'BUNDLE_SUBJECT_MISMATCH',
    },
    {
      name: 'something else',
      files: () => relabel(SAMPLE_BUNDLE, PREDICATE_TYPE, 'https://spdx.dev/Document'),
      code: 'BUNDLE_DOCUMENT_INVALID',
    },
    {
      name: 'two things by one blob',
      files: () => attach(SAMPLE_BUNDLE, encodeSigstoreBundle(attestationOf(SAMPLE_BUNDLE)), template),
      code: 'BUNDLE_BLOB_SHARED',
    },
  ])('$name', async ({ files, code }) => {
    await expectRejection(code, () => verify(files()));
  });
});

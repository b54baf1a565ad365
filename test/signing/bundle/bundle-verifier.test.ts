import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { IN_TOTO_PAYLOAD_TYPE, preAuthenticationEncoding } from '../../../signing/attestation/dsse.js';
import { encodeSigstoreBundle } from '../../../signing/attestation/sigstore-bundle.js';
import {
  acceptBundle,
  BUNDLE_LIMITS,
  type BundleFiles,
  judgeBundle,
  MemoryBundle,
  readVerifiedBundle,
} from '../../../signing/index.js';
import { ed25519 } from '../../../signing/keys/ed25519-provider.js';
import {
  attach,
  attestationManifestPath,
  attestationOf,
  manifestPath,
  resign,
  sigstorePath,
  textOf,
} from '../forged-bundle.js';
import {
  CI_KEY,
  EMPTY_TRUST,
  expectRejection,
  NOW,
  RELEASE_KEY,
  SAMPLE_BUNDLE,
  SAMPLE_INPUT,
  SAMPLE_PREDICATE,
  STRANGER_KEY,
  sha256,
  TRUST_CI,
  TWICE_SIGNED,
  trustBetween,
  trustIn,
  utf8,
  verify,
} from '../sample-bundle.js';

const TRUST_BOTH = trustIn({ ci: CI_KEY, release: RELEASE_KEY }, 2);

describe('a verified bundle has', () => {
  test('the content, the statement and the signer', async () => {
    const verified = await verify(SAMPLE_BUNDLE);
    expect(verified).toMatchObject({
      name: 'starter',
      digest: `sha256:${manifestPath(SAMPLE_BUNDLE).slice('blobs/sha256/'.length)}`,
      policies: SAMPLE_INPUT.policies,
      objects: SAMPLE_INPUT.objects,
      signers: [{ id: 'ci', kind: 'key', keyId: CI_KEY.keyId }],
      decision: { accepted: true, requirements: [{ label: 'signers', needed: 1, counted: 1, by: ['ci'] }] },
    });
    expect(verified.version).toBeUndefined();
    expect(verified.statement.predicate).toEqual(SAMPLE_PREDICATE);
  });

  test('both signers when a threshold of two is met', async () => {
    const { signers } = await verify(TWICE_SIGNED, TRUST_BOTH);
    expect(signers.map(({ id }) => id).sort()).toEqual(['ci', 'release']);
  });

  test('only the trusted signer beside an unknown one', async () => {
    const { signers, decision } = await verify(TWICE_SIGNED);
    expect(signers.map(({ id }) => id)).toEqual(['ci']);
    expect(decision.signers.map(({ standing }) => standing).sort()).toEqual(['accepted', 'unknown']);
  });
});

describe('the bytes of an accepted bundle', () => {
  test('are its own: a later change of the input does not reach them', async () => {
    const files = new Map([...SAMPLE_BUNDLE].map(([path, bytes]) => [path, bytes.slice()]));
    const verified = await verify(files);
    for (const bytes of files.values()) bytes.fill(0);
    expect(verified.policies).toEqual(SAMPLE_INPUT.policies);
    expect(verified.objects).toEqual(SAMPLE_INPUT.objects);
  });

  test('are held to what was signed when they are read', async () => {
    const files = new Map([...SAMPLE_BUNDLE].map(([path, bytes]) => [path, bytes.slice()]));
    const accepted = await acceptBundle(new MemoryBundle(files), TRUST_CI, NOW);
    for (const bytes of files.values()) bytes.fill(0);
    await expectRejection('BUNDLE_BLOB_DIGEST_MISMATCH', () => readVerifiedBundle(accepted));
  });
});

describe('judgeBundle', () => {
  test('gives the refusal of the trust policy as a value, with the decision in its details', async () => {
    const trust = trustIn({ other: STRANGER_KEY });
    const { decision, outcome } = await judgeBundle(new MemoryBundle(SAMPLE_BUNDLE), trust, NOW);
    expect(decision).toMatchObject({
      accepted: false,
      bundle: { name: 'starter' },
      signers: [{ identity: { kind: 'key', keyId: CI_KEY.keyId }, standing: 'unknown', counted: false }],
      requirements: [{ needed: 1, counted: 0, met: false }],
      refusal: { code: 'BUNDLE_SIGNER_UNKNOWN' },
    });
    expect(outcome).toMatchObject({ code: 'BUNDLE_SIGNER_UNKNOWN', details: { decision } });
  });

  test('throws what is wrong with the bundle itself', async () => {
    const files = new Map(SAMPLE_BUNDLE).set(sigstorePath(SAMPLE_BUNDLE), utf8('{}'));
    await expectRejection('BUNDLE_BLOB_SIZE_MISMATCH', () =>
      judgeBundle(new MemoryBundle(files), TRUST_CI, NOW),
    );
  });
});

describe('missing and extra files', () => {
  test.each([...SAMPLE_BUNDLE.keys()])('without %s', async (path) => {
    const files = new Map(SAMPLE_BUNDLE);
    files.delete(path);
    await expectRejection('BUNDLE_FILE_MISSING', () => verify(files));
  });

  test.each([
    'README.md',
    'blobs/sha256/../../etc/passwd',
    '../evil',
    '/etc/passwd',
    'blobs/sha512/00',
    `blobs/sha256/${'A'.repeat(64)}`,
    `blobs/sha256/${'a'.repeat(64)}\n`,
    'index.json ',
  ])('with %j', async (path) => {
    await expectRejection('BUNDLE_FILE_UNEXPECTED', () =>
      verify(new Map(SAMPLE_BUNDLE).set(path, utf8('x'))),
    );
  });

  test('with a blob that nothing refers to', async () => {
    const bytes = utf8('smuggled');
    const files = new Map(SAMPLE_BUNDLE).set(`blobs/sha256/${sha256(bytes)}`, bytes);
    await expectRejection('BUNDLE_FILE_UNEXPECTED', () => verify(files));
  });

  test.each<{ name: string; files: BundleFiles; code: ErrorCode }>([
    { name: 'nothing', files: new Map(), code: 'BUNDLE_NOT_A_BUNDLE' },
    { name: 'other files', files: new Map([['a.yaml', utf8('x')]]), code: 'BUNDLE_NOT_A_BUNDLE' },
    {
      name: 'too many files',
      files: new Map([
        ...SAMPLE_BUNDLE,
        ...Array.from({ length: BUNDLE_LIMITS.maxFiles }, (_, i) => [`${i}`, utf8('')] as const),
      ]),
      code: 'BUNDLE_TOO_LARGE',
    },
    {
      name: 'a file too large',
      files: new Map(SAMPLE_BUNDLE).set('index.json', new Uint8Array(BUNDLE_LIMITS.maxFileBytes + 1)),
      code: 'BUNDLE_TOO_LARGE',
    },
    {
      name: 'another layout version',
      files: new Map(SAMPLE_BUNDLE).set('oci-layout', utf8('{"imageLayoutVersion":"2.0.0"}')),
      code: 'BUNDLE_LAYOUT_UNSUPPORTED',
    },
  ])('$name', async ({ files, code }) => {
    await expectRejection(code, () => verify(files));
  });
});

describe('signers', () => {
  const at = (moment: string): Date => new Date(moment);

  test.each<{ name: string; run: () => Promise<unknown>; code: ErrorCode }>([
    {
      name: 'an unknown key',
      run: () => verify(SAMPLE_BUNDLE, trustIn({ other: STRANGER_KEY })),
      code: 'BUNDLE_SIGNER_UNKNOWN',
    },
    {
      name: 'an expired key',
      run: () => verify(SAMPLE_BUNDLE, trustBetween({ validUntil: at('2026-05-31T23:59:59Z') })),
      code: 'BUNDLE_SIGNER_EXPIRED',
    },
    {
      name: 'a key at its validUntil',
      run: () => verify(SAMPLE_BUNDLE, trustBetween({ validUntil: NOW })),
      code: 'BUNDLE_SIGNER_EXPIRED',
    },
    {
      name: 'a key before its validFrom',
      run: () => verify(SAMPLE_BUNDLE, trustBetween({ validFrom: at('2026-06-01T00:00:01Z') })),
      code: 'BUNDLE_SIGNER_NOT_YET_VALID',
    },
    {
      name: 'a dated key when the time is not known',
      run: () => verify(SAMPLE_BUNDLE, trustBetween({ validUntil: at('2030-01-01') }), new Date(Number.NaN)),
      code: 'BUNDLE_SIGNER_EXPIRED',
    },
    {
      name: 'one of two signers',
      run: () => verify(SAMPLE_BUNDLE, TRUST_BOTH),
      code: 'BUNDLE_THRESHOLD_NOT_MET',
    },
    {
      name: 'no signer under a policy without keys and threshold',
      run: () => verify(SAMPLE_BUNDLE, { ...EMPTY_TRUST, threshold: 0 }),
      code: 'BUNDLE_SIGNER_UNKNOWN',
    },
    { name: 'no attestation', run: () => verify(unsigned()), code: 'BUNDLE_UNSIGNED' },
  ])('$name', async ({ run, code }) => {
    await expectRejection(code, run);
  });

  test('a key is valid from its validFrom on', async () => {
    expect((await verify(SAMPLE_BUNDLE, trustBetween({ validFrom: NOW }))).signers).toHaveLength(1);
  });

  test('one signer with two different signatures meets no threshold of two', async () => {
    const { payload } = attestationOf(SAMPLE_BUNDLE);
    const second = signWithOtherNonce(1, preAuthenticationEncoding(IN_TOTO_PAYLOAD_TYPE, payload));
    const files = attach(
      SAMPLE_BUNDLE,
      encodeSigstoreBundle({
        payloadType: IN_TOTO_PAYLOAD_TYPE,
        payload,
        material: { kind: 'key', keyId: CI_KEY.keyId, signature: second },
      }),
      SAMPLE_BUNDLE,
    );
    expect((await verify(files)).signers).toEqual([{ id: 'ci', kind: 'key', keyId: CI_KEY.keyId }]);
    await expectRejection('BUNDLE_THRESHOLD_NOT_MET', () => verify(files, TRUST_BOTH));
  });

  test('one attestation listed twice', async () => {
    const files = new Map(SAMPLE_BUNDLE);
    const twice = textOf(files, 'index.json').replace(/(\{"artifactType":"[^"]*sigstore[^}]*\})/, '$1,$1');
    await expectRejection('BUNDLE_ATTESTATION_DUPLICATE', () => verify(files.set('index.json', utf8(twice))));
  });

  test('trusted signers of different statements', async () => {
    const attestation = attestationOf(
      resign(SAMPLE_BUNDLE, RELEASE_KEY, (text) => text.replace('GPL', 'MIT')),
    );
    const files = attach(SAMPLE_BUNDLE, encodeSigstoreBundle(attestation), SAMPLE_BUNDLE);
    await expectRejection('BUNDLE_ATTESTATIONS_DISAGREE', () => verify(files, TRUST_BOTH));
    // Also when one of them alone would do: which statement holds must not depend on an order.
    const either = trustIn({ ci: CI_KEY, release: RELEASE_KEY });
    await expectRejection('BUNDLE_ATTESTATIONS_DISAGREE', () => verify(files, either));
    expect((await verify(files)).signers).toHaveLength(1);
  });
});

function unsigned(): BundleFiles {
  const files = new Map(SAMPLE_BUNDLE);
  const empty = `blobs/sha256/${sha256(utf8('{}'))}`;
  for (const path of [sigstorePath(files), attestationManifestPath(files), empty]) files.delete(path);
  const index = textOf(files, 'index.json').replace(/,\{"artifactType":"[^"]*sigstore[^}]*\}/, '');
  return files.set('index.json', utf8(index));
}

/** A second valid signature by the same key: RFC 8032 section 5.1.6 with another nonce. */
function signWithOtherNonce(seedByte: number, message: Uint8Array): Uint8Array {
  const { hexToBytes, bytesToHex } = ed25519.etc;
  const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(new Uint8Array(32).fill(seedByte));
  const nonce = 54_321n;
  const commitment = ed25519.Point.BASE.multiply(nonce).toBytes();
  const digest = ed25519.hash(Uint8Array.of(...commitment, ...pointBytes, ...message));
  const response = (nonce + BigInt(`0x${bytesToHex(digest.reverse())}`) * scalar) % ed25519.Point.CURVE().n;
  return Uint8Array.of(...commitment, ...hexToBytes(response.toString(16).padStart(64, '0')).reverse());
}

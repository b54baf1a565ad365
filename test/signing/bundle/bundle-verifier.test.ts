import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { IN_TOTO_PAYLOAD_TYPE, preAuthenticationEncoding } from '../../../signing/attestation/dsse.js';
import { encodeSigstoreBundle } from '../../../signing/attestation/sigstore-bundle.js';
import {
  attestBundle,
  BUNDLE_LIMITS,
  type BundleFiles,
  createBundle,
  verifyBundle,
} from '../../../signing/index.js';
import { ed25519 } from '../../../signing/keys/ed25519-provider.js';
import {
  attach,
  attestationManifestPath,
  attestationOf,
  manifestPath,
  sigstorePath,
  textOf,
} from '../forged-bundle.js';
import {
  CI_KEY,
  EMPTY_TRUST,
  expectRefusal,
  NOW,
  RELEASE_KEY,
  SAMPLE_BUNDLE,
  SAMPLE_CLAIMS,
  SAMPLE_INPUT,
  SAMPLE_PREDICATE,
  STRANGER_KEY,
  samplePolicyClaim,
  samplePredicate,
  sha256,
  TRUST_CI,
  trustBetween,
  trustIn,
  utf8,
} from '../sample-bundle.js';

const verify = (files: BundleFiles, trust = TRUST_CI) => verifyBundle(files, trust, NOW);
const TRUST_BOTH = trustIn({ ci: CI_KEY, release: RELEASE_KEY }, 2);
const TWICE_SIGNED = attestBundle(SAMPLE_BUNDLE, SAMPLE_PREDICATE, RELEASE_KEY);

describe('verifyBundle gives back', () => {
  test('the content, the claims and the signer', () => {
    expect(verify(SAMPLE_BUNDLE)).toEqual({
      name: 'starter',
      digest: `sha256:${manifestPath(SAMPLE_BUNDLE).slice('blobs/sha256/'.length)}`,
      policies: SAMPLE_INPUT.policies,
      objects: SAMPLE_INPUT.objects,
      statement: expect.objectContaining({ predicate: SAMPLE_PREDICATE }),
      signers: [{ id: 'ci', keyId: CI_KEY.keyId }],
    });
  });

  test('bytes of its own, which a later change of the input does not reach', () => {
    const files = new Map([...SAMPLE_BUNDLE].map(([path, bytes]) => [path, bytes.slice()]));
    const verified = verify(files);
    for (const bytes of files.values()) bytes.fill(0);
    expect(verified.policies).toEqual(SAMPLE_INPUT.policies);
  });

  test('both signers when a threshold of two is met', () => {
    const { signers } = verify(TWICE_SIGNED, TRUST_BOTH);
    expect(signers.map(({ id }) => id).sort()).toEqual(['ci', 'release']);
  });

  test('only the trusted signer beside an unknown one', () => {
    expect(verify(TWICE_SIGNED).signers.map(({ id }) => id)).toEqual(['ci']);
  });

  test('the content when files of it are equal', () => {
    const bytes = utf8('same');
    const policies = [
      { name: 'a.yaml', bytes },
      { name: 'b.yaml', bytes },
    ];
    const predicate = {
      ...samplePredicate([]),
      policies: [samplePolicyClaim('a.yaml'), samplePolicyClaim('b.yaml')],
    };
    const files = createBundle({ name: 'x', policies, objects: [] }, predicate, CI_KEY);
    expect(verify(files).policies).toEqual(policies);
  });
});

describe('missing and extra files', () => {
  test.each([...SAMPLE_BUNDLE.keys()])('without %s', (path) => {
    const files = new Map(SAMPLE_BUNDLE);
    files.delete(path);
    expectRefusal('BUNDLE_FILE_MISSING', () => verify(files));
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
  ])('with %j', (path) => {
    expectRefusal('BUNDLE_FILE_UNEXPECTED', () => verify(new Map(SAMPLE_BUNDLE).set(path, utf8('x'))));
  });

  test('with a blob that nothing refers to', () => {
    const bytes = utf8('smuggled');
    const files = new Map(SAMPLE_BUNDLE).set(`blobs/sha256/${sha256(bytes)}`, bytes);
    expectRefusal('BUNDLE_FILE_UNEXPECTED', () => verify(files));
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
  ])('$name', ({ files, code }) => {
    expectRefusal(code, () => verify(files));
  });
});

describe('signers', () => {
  const at = (moment: string): Date => new Date(moment);

  test.each<{ name: string; run: () => unknown; code: ErrorCode }>([
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
      run: () =>
        verifyBundle(SAMPLE_BUNDLE, trustBetween({ validUntil: at('2030-01-01') }), new Date(Number.NaN)),
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
  ])('$name', ({ run, code }) => {
    expectRefusal(code, run);
  });

  test('a key is valid from its validFrom on', () => {
    expect(verify(SAMPLE_BUNDLE, trustBetween({ validFrom: NOW })).signers).toHaveLength(1);
  });

  test('one signer with two different signatures meets no threshold of two', () => {
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
    expect(verify(files).signers).toEqual([{ id: 'ci', keyId: CI_KEY.keyId }]);
    expectRefusal('BUNDLE_THRESHOLD_NOT_MET', () => verify(files, TRUST_BOTH));
  });

  test('one attestation listed twice', () => {
    const files = new Map(SAMPLE_BUNDLE);
    const twice = textOf(files, 'index.json').replace(/(\{"artifactType":"[^"]*sigstore[^}]*\})/, '$1,$1');
    expectRefusal('BUNDLE_ATTESTATION_DUPLICATE', () => verify(files.set('index.json', utf8(twice))));
  });

  test('signing twice with one key changes nothing', () => {
    expect(attestBundle(SAMPLE_BUNDLE, SAMPLE_PREDICATE, CI_KEY)).toEqual(SAMPLE_BUNDLE);
  });

  test('trusted signers of different statements', () => {
    const [first, ...others] = SAMPLE_CLAIMS;
    if (first === undefined) throw new Error('no claims');
    const files = attestBundle(
      SAMPLE_BUNDLE,
      samplePredicate([{ ...first, license: 'MIT' }, ...others]),
      RELEASE_KEY,
    );
    expectRefusal('BUNDLE_ATTESTATIONS_DISAGREE', () => verify(files, TRUST_BOTH));
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

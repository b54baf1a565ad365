import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../engine/errors/index.js';
import {
  attestBundle,
  BUNDLE_LIMITS,
  type BundleInput,
  createBundle,
  inspectBundle,
  normalizePredicate,
  type ProgramClaim,
} from '../../../signing/index.js';
import { attestationManifestPath, manifestPath, readdress, sigstorePath, textOf } from '../forged-bundle.js';
import {
  CI_KEY,
  expectRefusal,
  RELEASE_KEY,
  SAMPLE_BUNDLE,
  SAMPLE_CLAIMS,
  SAMPLE_INPUT,
  SAMPLE_PREDICATE,
  sampleClaim,
  samplePredicate,
  sha256,
  utf8,
} from '../sample-bundle.js';

/** JSON of a file of the sample; the tests compare it whole, so its type does not matter. */
const documentAt = (path: string): unknown => JSON.parse(textOf(SAMPLE_BUNDLE, path));
const digestOf = (path: string) => `sha256:${path.slice('blobs/sha256/'.length)}`;
const sizeOf = (path: string) => SAMPLE_BUNDLE.get(path)?.length;

describe('createBundle', () => {
  test('gives the same bytes for the same input in any order', () => {
    const shuffled = {
      ...SAMPLE_INPUT,
      objects: SAMPLE_INPUT.objects.toReversed(),
    };
    expect(createBundle(shuffled, samplePredicate(SAMPLE_CLAIMS.toReversed()), CI_KEY)).toEqual(
      SAMPLE_BUNDLE,
    );
    expect([...createBundle(shuffled, SAMPLE_PREDICATE, CI_KEY).keys()]).toEqual([...SAMPLE_BUNDLE.keys()]);
  });

  test('writes an OCI image layout with the attestation as a referrer', () => {
    const manifest = manifestPath(SAMPLE_BUNDLE);
    const attestation = attestationManifestPath(SAMPLE_BUNDLE);
    expect(documentAt('oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' });
    expect(documentAt('index.json')).toMatchObject({
      schemaVersion: 2,
      manifests: [{ digest: digestOf(manifest) }, { digest: digestOf(attestation) }],
    });
    expect(documentAt(manifest)).toMatchObject({
      artifactType: 'application/vnd.vespid.bundle.v1',
      layers: [
        { mediaType: 'application/vnd.vespid.policy.v1+yaml' },
        { mediaType: 'application/vnd.vespid.object.v1+elf' },
        { annotations: { 'org.opencontainers.image.title': 'net.bpf.o' } },
      ],
    });
    expect(documentAt(attestation)).toMatchObject({
      artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      subject: { digest: digestOf(manifest), size: sizeOf(manifest) },
      layers: [{ digest: digestOf(sigstorePath(SAMPLE_BUNDLE)) }],
    });
  });

  test('writes a Sigstore bundle with an in-toto statement over every file and program', () => {
    const bundle = documentAt(sigstorePath(SAMPLE_BUNDLE));
    expect(bundle).toMatchObject({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { publicKey: { hint: CI_KEY.keyId } },
      dsseEnvelope: { payloadType: 'application/vnd.in-toto+json' },
    });
    const [attestation] = inspectBundle(SAMPLE_BUNDLE).attestations;
    expect(attestation?.unverifiedSubjects.map(({ name }) => name)).toEqual([
      'bundle:starter',
      'protect-shadow.yaml',
      'file.bpf.o',
      'net.bpf.o',
      'file.bpf.o#lsm/file_open/file_open',
      'net.bpf.o#cgroup/connect4/connect4',
      'net.bpf.o#cgroup/connect6/connect6',
    ]);
  });

  const withPolicy = (name: string): BundleInput => ({
    ...SAMPLE_INPUT,
    policies: [{ name, bytes: utf8('x') }],
  });
  const claim = sampleClaim('file.bpf.o', 'lsm/file_open', 'file_open');
  const otherClaims = SAMPLE_CLAIMS.slice(1);

  test.each<{ name: string; input?: BundleInput; claims?: readonly ProgramClaim[]; code: ErrorCode }>([
    ...[
      '../evil.yaml',
      'a/b.yaml',
      'a\\b',
      '..',
      '.hidden',
      '',
      'a..b',
      'a#b',
      'a\nb',
      'a\u202eb',
      'x'.repeat(129),
    ].map((name) => ({
      name: JSON.stringify(name),
      input: withPolicy(name),
      code: 'SIGN_NAME_INVALID' as const,
    })),
    { name: 'a bundle name', input: { ...SAMPLE_INPUT, name: 'a/b' }, code: 'SIGN_NAME_INVALID' },
    { name: 'one name twice', input: withPolicy('net.bpf.o'), code: 'SIGN_NAME_DUPLICATE' },
    {
      name: 'nothing',
      input: { name: 'x', policies: [], objects: [] },
      claims: [],
      code: 'SIGN_INPUT_EMPTY',
    },
    {
      name: 'too many files',
      input: {
        ...SAMPLE_INPUT,
        policies: Array.from({ length: BUNDLE_LIMITS.maxLayers }, (_, i) => ({
          name: `${i}.yaml`,
          bytes: utf8(''),
        })),
      },
      code: 'BUNDLE_TOO_LARGE',
    },
    { name: 'an object without claims', claims: otherClaims, code: 'SIGN_CLAIM_INVALID' },
    { name: 'a claim twice', claims: [...SAMPLE_CLAIMS, claim], code: 'SIGN_CLAIM_INVALID' },
    {
      name: 'a claim about another object',
      claims: [...SAMPLE_CLAIMS, { ...claim, object: 'gone.bpf.o' }],
      code: 'SIGN_CLAIM_INVALID',
    },
    {
      name: 'a digest in capitals',
      claims: [{ ...claim, sha256: 'A'.repeat(64) }, ...otherClaims],
      code: 'SIGN_CLAIM_INVALID',
    },
    {
      name: 'a control character',
      claims: [{ ...claim, license: 'GPL\n' }, ...otherClaims],
      code: 'SIGN_CLAIM_INVALID',
    },
    {
      name: 'an empty program',
      claims: [{ ...claim, instructionCount: 0 }, ...otherClaims],
      code: 'SIGN_CLAIM_INVALID',
    },
  ])('refuses $name', ({ input = SAMPLE_INPUT, claims = SAMPLE_CLAIMS, code }) => {
    expectRefusal(code, () => createBundle(input, samplePredicate(claims), CI_KEY));
  });
});

describe('attestBundle', () => {
  test('gives the same bytes whoever signs first', () => {
    const one = attestBundle(
      createBundle(SAMPLE_INPUT, SAMPLE_PREDICATE, CI_KEY),
      SAMPLE_PREDICATE,
      RELEASE_KEY,
    );
    const two = attestBundle(
      createBundle(SAMPLE_INPUT, SAMPLE_PREDICATE, RELEASE_KEY),
      SAMPLE_PREDICATE,
      CI_KEY,
    );
    expect(one).toEqual(two);
  });

  test('refuses a damaged bundle and claims that do not fit', () => {
    const damaged = new Map(SAMPLE_BUNDLE).set(manifestPath(SAMPLE_BUNDLE), utf8('{}'));
    expectRefusal('BUNDLE_BLOB_DIGEST_MISMATCH', () => attestBundle(damaged, SAMPLE_PREDICATE, RELEASE_KEY));
    expectRefusal('SIGN_CLAIM_INVALID', () => attestBundle(SAMPLE_BUNDLE, samplePredicate([]), RELEASE_KEY));
  });
});

describe('normalizePredicate', () => {
  test('orders programs, maps and names, once each', () => {
    const claim = sampleClaim('a.bpf.o', 's', 'b');
    const map = { name: 'z', type: 'hash', keySize: 4, valueSize: 8, maxEntries: 1, flags: 0 };
    const messy: ProgramClaim = {
      ...claim,
      helpers: ['bpf_b', 'bpf_a', 'bpf_b'],
      kfuncs: ['y', 'x', 'x'],
      effects: ['kill', 'deny'],
      maps: [map, { ...map, name: 'a' }],
    };
    const [first, second] = normalizePredicate(samplePredicate([messy, { ...claim, name: 'a' }])).programs;
    expect(first?.name).toBe('a');
    expect(second).toMatchObject({
      helpers: ['bpf_a', 'bpf_b'],
      kfuncs: ['x', 'y'],
      effects: ['deny', 'kill'],
      maps: [{ name: 'a' }, { name: 'z' }],
    });
  });
});

describe('inspectBundle', () => {
  test('describes without trusting', () => {
    const description = inspectBundle(SAMPLE_BUNDLE);
    expect(description).toMatchObject({
      verified: false,
      name: 'starter',
      digest: digestOf(manifestPath(SAMPLE_BUNDLE)),
      policies: [
        { name: 'protect-shadow.yaml', byteSize: 13, digest: `sha256:${sha256(utf8('kind: Policy\n'))}` },
      ],
      objects: [{ name: 'file.bpf.o' }, { name: 'net.bpf.o' }],
      attestations: [{ claimedKeyId: CI_KEY.keyId, payloadType: 'application/vnd.in-toto+json' }],
    });
    expect(description.attestations[0]?.unverifiedPredicate).toEqual(SAMPLE_PREDICATE);
  });

  test('says why a payload cannot be read, and describes the rest', () => {
    const path = sigstorePath(SAMPLE_BUNDLE);
    const broken = textOf(SAMPLE_BUNDLE, path).replace(/"payload":"[^"]*"/, '"payload":"AAAA"');
    const [attestation] = inspectBundle(readdress(SAMPLE_BUNDLE, path, utf8(broken))).attestations;
    expect(attestation).toMatchObject({
      unverifiedSubjects: [],
      payloadFault: expect.stringContaining('statement'),
    });
  });

  test('refuses what is no bundle', () => {
    expectRefusal('BUNDLE_NOT_A_BUNDLE', () => inspectBundle(new Map()));
  });
});

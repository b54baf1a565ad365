import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../engine/errors/index.js';
import {
  BUNDLE_LIMITS,
  type BundleFiles,
  type BundleInput,
  inspectBundle,
  MemoryBundle,
  normalizePredicate,
  type ProgramClaim,
} from '../../../signing/index.js';
import {
  attestationManifestPath,
  findBlob,
  manifestPath,
  readdress,
  sigstorePath,
  textOf,
} from '../forged-bundle.js';
import {
  CI_KEY,
  expectRejection,
  SAMPLE_BUNDLE,
  SAMPLE_CLAIMS,
  SAMPLE_INPUT,
  SAMPLE_PREDICATE,
  sampleClaim,
  samplePredicate,
  sha256,
  signBundle,
  utf8,
} from '../sample-bundle.js';

/** JSON of a file of the sample; the tests compare it whole, so its type does not matter. */
const documentAt = (path: string): unknown => JSON.parse(textOf(SAMPLE_BUNDLE, path));
const digestOf = (path: string) => `sha256:${path.slice('blobs/sha256/'.length)}`;
const sizeOf = (path: string) => SAMPLE_BUNDLE.get(path)?.length;

const inspect = (files: BundleFiles) => inspectBundle(new MemoryBundle(files));

describe('createBundle', () => {
  test('gives the same bytes for the same input in any order', async () => {
    const shuffled = {
      ...SAMPLE_INPUT,
      objects: SAMPLE_INPUT.objects.toReversed(),
    };
    const files = await signBundle(shuffled, samplePredicate(SAMPLE_CLAIMS.toReversed()), CI_KEY);
    expect(files).toEqual(SAMPLE_BUNDLE);
    expect([...files.keys()]).toEqual([...SAMPLE_BUNDLE.keys()]);
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

  test('writes a Sigstore bundle with an in-toto statement over every file and program', async () => {
    const bundle = documentAt(sigstorePath(SAMPLE_BUNDLE));
    expect(bundle).toMatchObject({
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { publicKey: { hint: CI_KEY.keyId } },
      dsseEnvelope: { payloadType: 'application/vnd.in-toto+json' },
    });
    const [attestation] = (await inspect(SAMPLE_BUNDLE)).attestations;
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

  const withPolicy = (name: string, bytes = utf8('x')): BundleInput => ({
    ...SAMPLE_INPUT,
    policies: [{ name, bytes }],
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
    {
      name: 'one content twice',
      input: withPolicy('same.yaml', SAMPLE_INPUT.objects[0]?.bytes),
      code: 'SIGN_CONTENT_DUPLICATE',
    },
    {
      name: 'the content that the config of an attestation has',
      input: withPolicy('empty.yaml', utf8('{}')),
      code: 'SIGN_CONTENT_DUPLICATE',
    },
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
          bytes: utf8(`${i}`),
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
  ])('refuses $name', async ({ input = SAMPLE_INPUT, claims = SAMPLE_CLAIMS, code }) => {
    await expectRejection(code, () => signBundle(input, samplePredicate(claims), CI_KEY));
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
  test('describes without trusting', async () => {
    const description = await inspect(SAMPLE_BUNDLE);
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

  test('says why a payload cannot be read, and describes the rest', async () => {
    const path = sigstorePath(SAMPLE_BUNDLE);
    const broken = textOf(SAMPLE_BUNDLE, path).replace(/"payload":"[^"]*"/, '"payload":"AAAA"');
    const [attestation] = (await inspect(readdress(SAMPLE_BUNDLE, path, utf8(broken)))).attestations;
    expect(attestation).toMatchObject({
      unverifiedSubjects: [],
      payloadFault: expect.stringContaining('statement'),
    });
  });

  test('refuses what is no bundle, and changed bytes', async () => {
    await expectRejection('BUNDLE_NOT_A_BUNDLE', () => inspect(new Map()));
    const files = new Map(SAMPLE_BUNDLE).set(findBlob(SAMPLE_BUNDLE, 'kind: Policy'), utf8('kind: policy\n'));
    await expectRejection('BUNDLE_BLOB_DIGEST_MISMATCH', () => inspect(files));
  });
});

import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../engine/errors/index.js';
import {
  acceptBundle,
  type BundleFiles,
  judgeBundle,
  MemoryBundle,
  readVerifiedBundle,
  type TrustPolicy,
} from '../../../signing/index.js';
import { findBlob, manifestPath } from '../forged-bundle.js';
import {
  CI_KEY,
  expectRejection,
  NOW,
  SAMPLE_BUNDLE,
  SAMPLE_CLAIMS,
  SAMPLE_INPUT,
  SAMPLE_PREDICATE,
  signBundle,
  TRUST_CI,
  TWICE_SIGNED,
  utf8,
  verify,
} from '../sample-bundle.js';
import { trustPolicy } from '../trust/trust-evidence.js';
import { RecordingSource } from './recording-source.js';

const versioned = (version: string): Promise<BundleFiles> =>
  signBundle({ ...SAMPLE_INPUT, version }, SAMPLE_PREDICATE, CI_KEY);

/** Trust in the CI key, and whatever else `rest` says. */
const trust = (rest: string, ofKey = ''): TrustPolicy =>
  trustPolicy(`threshold: 1\nkeys: [{ id: ci, publicKey: ci.pub ${ofKey} }]\n${rest}`);
const revoking = (digest: string): TrustPolicy =>
  trust(`revoked: { digests: [{ digest: "${digest}", reason: lost }] }`);
const minimum = (version: string): TrustPolicy => trust(`minimumVersions: { starter: ${version} }`);

describe('a bundle that the trust policy refuses', async () => {
  const policyDigest = findBlob(SAMPLE_BUNDLE, 'kind: Policy').replace('blobs/sha256/', 'sha256:');

  test.each<{ name: string; trust: TrustPolicy; files?: BundleFiles; code: ErrorCode }>([
    {
      name: 'its manifest is revoked',
      trust: revoking(manifestPath(SAMPLE_BUNDLE).replace('blobs/sha256/', 'sha256:')),
      code: 'BUNDLE_DIGEST_REVOKED',
    },
    { name: 'a policy is revoked', trust: revoking(policyDigest), code: 'BUNDLE_DIGEST_REVOKED' },
    {
      name: 'the instructions of a program are revoked',
      trust: revoking(`sha256:${SAMPLE_CLAIMS[1]?.sha256}`),
      code: 'BUNDLE_DIGEST_REVOKED',
    },
    { name: 'it has no version', trust: minimum('1.0.0'), code: 'BUNDLE_VERSION_BELOW_MINIMUM' },
    {
      name: 'its version is too old',
      trust: minimum('1.10.0'),
      files: await versioned('1.9.0'),
      code: 'BUNDLE_VERSION_BELOW_MINIMUM',
    },
    {
      name: 'a pre-release is before its release',
      trust: minimum('1.10.0'),
      files: await versioned('1.10.0-rc.1'),
      code: 'BUNDLE_VERSION_BELOW_MINIMUM',
    },
    {
      name: 'its signer may not sign a helper',
      trust: trust('', ', may: { helpers: { deny: [bpf_ringbuf_output] } }'),
      code: 'BUNDLE_SIGNER_NOT_ENTITLED',
    },
    {
      name: 'one of two signers may not sign all of it',
      trust: trustPolicy(
        'threshold: 2\nkeys:\n- { id: ci, publicKey: ci.pub }\n- { id: alice, publicKey: alice.pub, may: { effects: [audit] } }',
      ),
      files: TWICE_SIGNED,
      code: 'BUNDLE_SIGNER_NOT_ENTITLED',
    },
    {
      name: 'a group did not sign',
      trust: trustPolicy(
        'threshold: 1\nkeys:\n- { id: ci, publicKey: ci.pub }\n- { id: bob, publicKey: bob.pub }\ngroups: { security: [bob] }\nrequire: [{ group: security, threshold: 1 }]',
      ),
      code: 'BUNDLE_THRESHOLD_NOT_MET',
    },
    {
      name: 'the policy is expired',
      trust: trust('expires: 2026-01-01T00:00:00Z'),
      code: 'TRUST_POLICY_EXPIRED',
    },
    {
      name: 'provenance is asked for',
      trust: trust('provenance: { builders: ["https://builder.example"] }'),
      code: 'BUNDLE_PROVENANCE_NOT_MET',
    },
  ])('$name', async ({ trust, files = SAMPLE_BUNDLE, code }) => {
    await expectRejection(code, () => verify(files, trust));
    const { decision, outcome } = await judgeBundle(new MemoryBundle(files), trust, NOW);
    expect(decision).toMatchObject({ accepted: false, refusal: { code } });
    expect(outcome).toMatchObject({ code, details: { decision } });
  });
});

describe('what is read of a bundle', () => {
  const layers = [...SAMPLE_INPUT.policies, ...SAMPLE_INPUT.objects].map(({ bytes }) =>
    findBlob(SAMPLE_BUNDLE, new TextDecoder().decode(bytes)),
  );

  test('no policy and no object, before it is accepted', async () => {
    const source = new RecordingSource(SAMPLE_BUNDLE);
    await acceptBundle(source, TRUST_CI, NOW);
    expect(source.reads.filter((path) => layers.includes(path))).toEqual([]);
    expect(source.reads).toHaveLength(SAMPLE_BUNDLE.size - layers.length);
  });

  test('each path once', async () => {
    const source = new RecordingSource(TWICE_SIGNED);
    await readVerifiedBundle(await acceptBundle(source, TRUST_CI, NOW));
    expect(source.reads.toSorted()).toEqual([...TWICE_SIGNED.keys()]);
  });

  test('each file only when it is asked for, in the order of the manifest', async () => {
    const source = new RecordingSource(SAMPLE_BUNDLE);
    const accepted = await acceptBundle(source, TRUST_CI, NOW);
    const before = source.reads.length;
    const seen: string[] = [];
    for await (const { name } of accepted.files()) {
      seen.push(name);
      expect(source.reads).toHaveLength(before + seen.length);
    }
    expect(seen).toEqual(['protect-shadow.yaml', 'file.bpf.o', 'net.bpf.o']);
    expect(source.reads.slice(before)).toEqual(layers);
  });

  test('no attestation, when a file too many is there', async () => {
    const stray = `blobs/sha256/${'0'.repeat(64)}`;
    const source = new RecordingSource(new Map(SAMPLE_BUNDLE).set(stray, utf8('x')));
    await expectRejection('BUNDLE_FILE_UNEXPECTED', () => acceptBundle(source, TRUST_CI, NOW));
    expect(source.reads).not.toContain(findBlob(SAMPLE_BUNDLE, '"dsseEnvelope"'));
    expect(source.reads).not.toContain(stray);
  });
});

import { describe, expect, test } from 'vitest';
import { claimedIdentity } from '../../../signing/attestation/claimed-identity.js';
import type { KeylessSigstoreBundle } from '../../../signing/attestation/sigstore-bundle-schema.js';
import { canonicalJson } from '../../../signing/documents/canonical-json.js';
import {
  type AttestationSigner,
  addAttestation,
  type BundleFiles,
  createBundle,
  KeySigner,
  MemoryBundle,
  parseTrustPolicy,
  type TrustPolicy,
} from '../../../signing/index.js';
import { ISSUER, SigstoreInstance, SUBJECT } from '../attestation/sigstore-instance.js';
import {
  CI_KEY,
  expectRejection,
  refusalOf,
  SAMPLE_INPUT,
  SAMPLE_PREDICATE,
  verify,
} from '../sample-bundle.js';
import { readTeamFile } from '../trust/trust-evidence.js';

const sigstore = await SigstoreInstance.start();

function keylessSigner(
  identity: { issuer?: string; subject?: string } = {},
  instance = sigstore,
): AttestationSigner {
  return {
    label: 'keyless',
    attest: async (_, payload) =>
      canonicalJson(await instance.attest({ payload, issue: instance.issue(identity) })),
  };
}

function trusting(identities: string, root = sigstore.trustedRoot): TrustPolicy {
  const policy = `apiVersion: vespid.dev/v1
kind: TrustPolicy
threshold: 1
keys: [{ id: ci, publicKey: ci.pub }]
identities: [${identities}]
sigstore: { trustedRoot: root.json }
`;
  return parseTrustPolicy(policy, 'trust.yaml', (path) =>
    path.endsWith('root.json') ? JSON.stringify(root) : readTeamFile(path),
  );
}

const sign = (...signers: AttestationSigner[]): Promise<BundleFiles> =>
  createBundle(SAMPLE_INPUT, SAMPLE_PREDICATE, signers);
const RELEASE = trusting(`{ id: release, issuer: "${ISSUER}", subject: "${SUBJECT}" }`);
const [BY_RELEASE, BY_FORK] = await Promise.all([
  sign(keylessSigner()),
  sign(keylessSigner({ subject: `https://evil.example/?${SUBJECT}` })),
]);

describe('a bundle signed by an identity', () => {
  test('is accepted for issuer and subject', async () => {
    const { signers } = await verify(BY_RELEASE, RELEASE, new Date());
    expect(signers).toEqual([{ kind: 'keyless', id: 'release', issuer: ISSUER, subject: SUBJECT }]);
  });

  test('counts beside a key', async () => {
    const files = await sign(new KeySigner(CI_KEY), keylessSigner());
    expect((await verify(files, { ...RELEASE, threshold: 2 }, new Date())).signers).toHaveLength(2);
  });

  test.each<{ name: string; files: () => BundleFiles | Promise<BundleFiles> }>([
    { name: 'a subject that contains the allowed one', files: () => BY_FORK },
    { name: 'a longer subject', files: () => sign(keylessSigner({ subject: `${SUBJECT}.evil` })) },
    { name: 'another issuer', files: () => sign(keylessSigner({ issuer: `${ISSUER}.evil.example` })) },
  ])('is unknown with $name', async ({ files }) => {
    const bundle = await files();
    await expectRejection('BUNDLE_SIGNER_UNKNOWN', () => verify(bundle, RELEASE, new Date()));
  });

  test('is refused when another authority issued the certificate for the same identity', async () => {
    const files = await sign(keylessSigner({}, await SigstoreInstance.start()));
    await expectRejection('BUNDLE_CERTIFICATE_INVALID', () => verify(files, RELEASE, new Date()));
  });

  test('of an instance that nobody trusts here does not hinder others', async () => {
    const elsewhere = keylessSigner({ subject: 'https://ci.example/job' }, await SigstoreInstance.start());
    const files = await sign(new KeySigner(CI_KEY), elsewhere);
    const { decision } = await verify(files, RELEASE, new Date());
    const standings = decision.signers.map(({ id, standing }) => `${id} ${standing}`);
    expect(standings.sort()).toEqual(['ci accepted', 'undefined unknown']);
  });

  test('is refused when it is revoked', async () => {
    const revokedIdentities = [{ issuer: ISSUER, subject: SUBJECT, reason: 'left' }];
    await expectRejection('BUNDLE_SIGNER_REVOKED', () =>
      verify(BY_RELEASE, { ...RELEASE, revokedIdentities }, new Date()),
    );
  });

  test('has one attestation, however often it is added', async () => {
    const twice = await addAttestation(new MemoryBundle(BY_RELEASE), keylessSigner(), () => undefined);
    expect(twice.size).toBe(BY_RELEASE.size);
    expect((await verify(twice, RELEASE, new Date())).decision.signers).toHaveLength(1);
  });
});

describe('claimedIdentity', async () => {
  const bundle = await sigstore.attest();
  const withCertificate = (bytes: Uint8Array): KeylessSigstoreBundle => ({
    ...bundle,
    verificationMaterial: {
      ...bundle.verificationMaterial,
      certificate: { rawBytes: Buffer.from(bytes).toString('base64') },
    },
  });
  const read = (bytes: Uint8Array) =>
    claimedIdentity({ kind: 'certificate', bundle: withCertificate(bytes) }, 'test');
  const certificate = Buffer.from(bundle.verificationMaterial.certificate.rawBytes, 'base64');

  test('reads issuer and subject', () => {
    expect(read(certificate)).toEqual({ issuer: ISSUER, subject: SUBJECT });
  });

  test('reads or refuses a certificate with any byte changed or cut off', () => {
    for (let offset = 0; offset < certificate.length; offset++) {
      const changed = Buffer.from(certificate);
      changed[offset] = (changed[offset] ?? 0) ^ 0x15;
      for (const bytes of [changed, certificate.subarray(0, offset)]) {
        try {
          expect(read(bytes)).toEqual({ issuer: expect.any(String), subject: expect.any(String) });
        } catch {
          expect(refusalOf(() => read(bytes)).code).toBe('BUNDLE_CERTIFICATE_INVALID');
        }
      }
    }
  });
});

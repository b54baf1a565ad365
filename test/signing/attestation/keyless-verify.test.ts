import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { verifyKeyless } from '../../../signing/attestation/keyless-verify.js';
import { canonicalJson } from '../../../signing/documents/canonical-json.js';
import { decodeSigstoreBundle } from '../../../signing/index.js';
import { emailName, forge, utf8String } from './forged-certificate.js';
import { ecKeyPair, ISSUER, SigstoreInstance, SUBJECT } from './sigstore-instance.js';

let sigstore: SigstoreInstance;
beforeAll(async () => {
  sigstore = await SigstoreInstance.start();
});

async function verify(bundle: unknown) {
  return verifyKeyless(decodeSigstoreBundle(canonicalJson(bundle), 'attestation'), sigstore.trustedRoot);
}

describe('verifyKeyless', () => {
  test('gives issuer, subject and time', async () => {
    const signer = await verify(await sigstore.attest());
    expect(signer).toMatchObject({ issuer: ISSUER, subject: SUBJECT });
    expect(Math.abs(signer.signedAt.getTime() - Date.now())).toBeLessThan(60_000);
  });

  test.each([
    { name: 'a certificate of our own making', claims: {} },
    { name: 'an e-mail address', claims: { names: emailName('a@example.com') }, subject: 'a@example.com' },
    { name: 'the old form of the issuer only', claims: { issuerV2: undefined } },
    { name: 'the new form of the issuer only', claims: { issuerV1: undefined } },
    {
      name: 'another issuer',
      claims: { issuerV1: undefined, issuerV2: utf8String('https://gitlab.com') },
      issuer: 'https://gitlab.com',
    },
  ])('takes $name', async ({ claims, issuer = ISSUER, subject = SUBJECT }) => {
    const bundle = await sigstore.attest({ issue: forge(sigstore, claims) });
    expect(await verify(bundle)).toMatchObject({ issuer, subject });
  });

  test('takes a key on P-384', async () => {
    const bundle = await sigstore.attest({ issue: forge(sigstore), keys: ecKeyPair('secp384r1') });
    expect(await verify(bundle)).toMatchObject({ subject: SUBJECT });
  });

  test.each([
    { name: 'P-521', keys: () => ecKeyPair('secp521r1') },
    { name: 'secp256k1', keys: () => ecKeyPair('secp256k1') },
    { name: 'RSA', keys: () => generateKeyPairSync('rsa', { modulusLength: 2048 }) },
    { name: 'Ed25519', keys: () => generateKeyPairSync('ed25519') },
  ])('takes no key of $name', async ({ keys }) => {
    const bundle = await sigstore.attest({ issue: forge(sigstore), keys: keys() });
    await expect(verify(bundle)).rejects.toMatchObject({ code: 'BUNDLE_CERTIFICATE_INVALID' });
  });

  test('takes the earliest of several times', async () => {
    const later = new Date(Date.now() + 300_000);
    const signer = await verify(await sigstore.timestamp(await sigstore.attest({ loggedAt: later })));
    expect(signer.signedAt.getTime()).toBeLessThan(later.getTime() - 200_000);
  });

  /** As Rekor v2 does, which promises nothing: the time is that of an authority alone. */
  test('takes an entry without a promise with the timestamp of an authority', async () => {
    const bundle = await sigstore.timestamp(await sigstore.attest());
    const { tlogEntries = [], ...material } = bundle.verificationMaterial;
    const entries = tlogEntries.map(
      ({ inclusionPromise: _promise, integratedTime: _time, logIndex: _index, ...entry }) => entry,
    );
    const unpromised = { ...bundle, verificationMaterial: { ...material, tlogEntries: entries } };
    expect(await verify(unpromised)).toMatchObject({ issuer: ISSUER, subject: SUBJECT });
  });

  test('does not take the payload of another envelope for that of its own', async () => {
    const attestation = decodeSigstoreBundle(canonicalJson(await sigstore.attest()), 'attestation');
    const other = { ...attestation, payload: new Uint8Array([1]) };
    await expect(verifyKeyless(other, sigstore.trustedRoot)).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  test('says that a trusted root is at fault', async () => {
    const attestation = decodeSigstoreBundle(canonicalJson(await sigstore.attest()), 'attestation');
    const root = { ...sigstore.trustedRoot, tlogs: [] };
    await expect(verifyKeyless(attestation, root)).rejects.toMatchObject({
      code: 'TRUST_POLICY_ROOT_INVALID',
    });
  });
});

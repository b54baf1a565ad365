import { beforeAll, describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../signing/documents/canonical-json.js';
import { decodeSigstoreBundle, verifyKeyless } from '../../../signing/index.js';
import { ISSUER, SigstoreInstance, SUBJECT } from './sigstore-instance.js';

let sigstore: SigstoreInstance;
beforeAll(async () => {
  sigstore = await SigstoreInstance.start();
});

describe('verifyKeyless', () => {
  test('gives issuer, subject and time', async () => {
    const attestation = decodeSigstoreBundle(canonicalJson(await sigstore.attest()), 'attestation');
    const signer = await verifyKeyless(attestation, sigstore.trustedRoot);
    expect(signer).toMatchObject({ issuer: ISSUER, subject: SUBJECT });
    expect(Math.abs(signer.signedAt.getTime() - Date.now())).toBeLessThan(60_000);
  });
});

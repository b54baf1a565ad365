import { describe, expect, test } from 'vitest';
import { preAuthenticationEncoding } from '../../../signing/attestation/dsse.js';
import { decodeSigstoreBundle } from '../../../signing/attestation/sigstore-bundle.js';
import { canonicalJson } from '../../../signing/documents/canonical-json.js';
import { KeySigner, type Signer } from '../../../signing/index.js';
import { verifyEd25519 } from '../../../signing/keys/ed25519-verify.js';
import { CI_KEY, utf8 } from '../sample-bundle.js';

const TYPE = 'application/vnd.in-toto+json';
const PAYLOAD = utf8('{"a":1}');

/** The same key, answering later, as a command or a cloud service does. */
const slowSigner: Signer = {
  publicKey: CI_KEY.publicKey,
  sign: async (message) => CI_KEY.sign(message),
};

describe('KeySigner', () => {
  test.each([
    { name: 'a key that signs at once', signer: CI_KEY },
    { name: 'a key that answers later', signer: slowSigner },
  ])('attests with $name', async ({ signer }) => {
    const bytes = await new KeySigner(signer).attest(TYPE, PAYLOAD);
    const attestation = decodeSigstoreBundle(bytes, 'attestation');
    const { material } = attestation;
    if (material.kind !== 'key') throw new Error('expected a key');
    expect(attestation).toMatchObject({ payloadType: TYPE, payload: PAYLOAD });
    expect(material.keyId).toBe(CI_KEY.publicKey.keyId);
    const message = preAuthenticationEncoding(TYPE, PAYLOAD);
    verifyEd25519(material.signature, message, CI_KEY.publicKey.bytes, 'attestation');
    expect(canonicalJson(JSON.parse(new TextDecoder().decode(bytes)))).toEqual(bytes);
  });

  test('is known by its key id', () => {
    const signer = new KeySigner(CI_KEY);
    expect(signer.keyId).toBe(CI_KEY.publicKey.keyId);
    expect(signer.label).toBe(`key ${CI_KEY.publicKey.keyId}`);
  });
});

import { createPublicKey } from 'node:crypto';
import { bundleFromJSON, bundleToJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { describe, expect, test } from 'vitest';
import { generateKeyPair, KeySigner, parsePrivateKey } from '../../signing/index.js';
import { utf8 } from '../signing/sample-bundle.js';

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
const PAYLOAD = utf8('{"_type":"https://in-toto.io/Statement/v1"}');
const pair = generateKeyPair();
const other = generateKeyPair();

/** A verifier of the sigstore library that knows one key by its hint, and asks for no log and no time stamp. */
function sigstoreVerifier(hint: string, publicKeyPem: string): Verifier {
  const keys = (wanted: string) => {
    if (wanted !== hint) throw new Error(`no key ${wanted}`);
    return { publicKey: createPublicKey(publicKeyPem), validFor: () => true };
  };
  const thresholds = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 };
  return new Verifier(toTrustMaterial(TrustedRoot.fromJSON({}), keys), thresholds);
}

async function attested(): Promise<unknown> {
  const signer = new KeySigner(parsePrivateKey(pair.privateKeyPem, 'ci.key'));
  return JSON.parse(new TextDecoder().decode(await signer.attest(PAYLOAD_TYPE, PAYLOAD)));
}

describe('the sigstore library', () => {
  test('reads our keyed bundle as v0.3 and verifies it', async () => {
    const bundle = bundleFromJSON(await attested());
    const verifier = sigstoreVerifier(pair.keyId, pair.publicKeyPem);
    expect(() => verifier.verify(toSignedEntity(bundle))).not.toThrow();
  });

  test.each([
    { name: 'another key under the hint', verifier: sigstoreVerifier(pair.keyId, other.publicKeyPem) },
    { name: 'a key that it does not know', verifier: sigstoreVerifier(other.keyId, other.publicKeyPem) },
  ])('refuses it with $name', async ({ verifier }) => {
    const bundle = bundleFromJSON(await attested());
    expect(() => verifier.verify(toSignedEntity(bundle))).toThrow();
  });

  test('writes the bundle that it read as we do', async () => {
    const json = await attested();
    const again: unknown = bundleToJSON(bundleFromJSON(json));
    expect(again).toEqual(json);
  });
});

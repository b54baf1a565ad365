import { canonicalJson } from '../../../signing/documents/canonical-json.js';
import type { PrivateKey } from '../../../signing/keys/key-pair.js';
import { writePem } from '../../../signing/keys/pem.js';
import { encodeSpki } from '../../../signing/keys/public-key.js';
import { encodeSignedPolicy, policySigningInput } from '../../../signing/trust/signed-policy-envelope.js';
import { CI_KEY, sampleKey } from '../sample-bundle.js';

/** Root keys that are the same in every run. */
export const ALICE = sampleKey(11);
export const BOB = sampleKey(12);
export const CAROL = sampleKey(13);
export const MALLORY = sampleKey(66);

export const EXPIRES = '2027-06-01T00:00:00Z';

export function pemOf({ publicKey }: PrivateKey): string {
  return writePem('PUBLIC KEY', encodeSpki(publicKey.bytes));
}

export interface PolicyChoice {
  readonly version?: number;
  readonly roots?: readonly PrivateKey[];
  readonly threshold?: number;
  readonly expires?: string;
}

/** The document of a trust policy that can be signed, its keys put in. */
export function policyDocument({
  version = 1,
  roots = [ALICE, BOB],
  threshold = 2,
  expires = EXPIRES,
}: PolicyChoice = {}) {
  return {
    apiVersion: 'vespid.dev/v1',
    kind: 'TrustPolicy',
    version,
    expires,
    threshold: 1,
    keys: [{ id: 'ci', publicKey: pemOf(CI_KEY) }],
    rootKeys: { threshold, keys: roots.map(pemOf) },
  };
}

/** Signs any bytes as a trust policy, also what an honest signer would refuse. */
export function envelopeOver(payload: Uint8Array, signers: readonly PrivateKey[]): Uint8Array {
  const signatures = signers.map((key) => ({
    keyId: key.publicKey.keyId,
    signature: key.sign(policySigningInput(payload)),
  }));
  return encodeSignedPolicy({ payload, signatures });
}

export function signedPolicy(choice: PolicyChoice, signers: readonly PrivateKey[]): Uint8Array {
  return envelopeOver(canonicalJson(policyDocument(choice)), signers);
}

import { canonicalJson } from '../../../signing/documents/canonical-json.js';
import { verifySignedTrustPolicy } from '../../../signing/index.js';
import {
  ALICE,
  BOB,
  CAROL,
  envelopeOver,
  policyDocument,
  signedPolicy as sampleSignedPolicy,
} from '../../signing/trust/sample-signed-policy.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { mutateJson } from '../mutation/mutate-json.js';
import { TRUST_POLICY_CODES } from './trust-policy.js';

const ROOT = { threshold: 2, keys: [ALICE.publicKey, BOB.publicKey] };
const GOOD = [
  sampleSignedPolicy({}, [ALICE, BOB]),
  sampleSignedPolicy({ version: 2, roots: [BOB, CAROL] }, [ALICE, BOB, CAROL]),
];
/** Digests of what both root keys signed as it is. */
const SIGNED = new Set(GOOD.map((bytes) => digestOf(bytes)));

/** Signed trust policies: envelopes, and payloads that the root keys themselves signed. */
export const signedPolicy: FuzzTarget = {
  name: 'signed-policy',
  codes: [
    ...TRUST_POLICY_CODES,
    'BUNDLE_JSON_MALFORMED',
    'BUNDLE_JSON_NOT_CANONICAL',
    'BUNDLE_JSON_DUPLICATE_KEY',
    'BUNDLE_JSON_LIMIT',
    'BUNDLE_DOCUMENT_INVALID',
  ],
  seeds: () => GOOD,
  mutate: (random, seed, seeds) => {
    if (!random.once(2)) return mutateJson(random, seed, seeds);
    return envelopeOver(mutateJson(random, canonicalJson(policyDocument()), seeds), [ALICE, BOB]);
  },
  run: (input) => {
    const isOurs = hasOurSignatures(input);
    const { digest } = verifySignedTrustPolicy(input, 'fuzzed', { kind: 'previous', rootKeys: ROOT });
    if (!isOurs && !SIGNED.has(digest)) throw new Error('a policy was accepted that nobody signed');
  },
};

function digestOf(bytes: Uint8Array): string {
  return verifySignedTrustPolicy(bytes, 'sample', { kind: 'previous', rootKeys: ROOT }).digest;
}

/** Whether the root keys signed this very payload, as in the half of the cases that are to reach the payload's reader. */
function hasOurSignatures(input: Uint8Array): boolean {
  try {
    // The form is not ours to trust here: whatever is not such an envelope is no envelope of ours.
    const { payload } = JSON.parse(new TextDecoder().decode(input)) as { payload: string };
    const expected = envelopeOver(Buffer.from(payload, 'base64'), [ALICE, BOB]);
    return Buffer.compare(expected, input) === 0;
  } catch {
    return false;
  }
}

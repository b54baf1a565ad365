import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../engine/errors/index.js';
import type { Signer } from '../../../signing/keys/signer.js';
import { parseTrustPolicy } from '../../../signing/trust/parse-trust-policy.js';
import { decodeSignedPolicy } from '../../../signing/trust/signed-policy-envelope.js';
import { verifySignedTrustPolicy } from '../../../signing/trust/signed-policy-verifier.js';
import {
  addPolicySignatures,
  signTrustPolicy,
  trustPolicyPayload,
} from '../../../signing/trust/signed-policy-writer.js';
import { CI_KEY, expectRefusal, utf8 } from '../sample-bundle.js';
import {
  ALICE,
  BOB,
  envelopeOver,
  MALLORY,
  pemOf,
  policyDocument,
  signedPolicy,
} from './sample-signed-policy.js';

const POLICY = `apiVersion: vespid.dev/v1
kind: TrustPolicy
version: 3          # comments do not survive
expires: 2027-06-01T00:00:00Z
threshold: 1
keys:
  - id: ci
    publicKey: ci.pub
    may: { bundles: ["edge-*"] }
identities:
  - id: release
    issuer: https://token.actions.githubusercontent.com
    subject: https://github.com/acme/sensors/.github/workflows/release.yml@refs/tags/v1
sigstore: { trustedRoot: roots/trusted_root.json }
rootKeys:
  threshold: 2
  keys: [alice.pub, bob.pub]
`;

const FILES: Readonly<Record<string, string>> = {
  'trust/ci.pub': pemOf(CI_KEY),
  'trust/alice.pub': pemOf(ALICE),
  'trust/bob.pub': pemOf(BOB),
  'trust/roots/trusted_root.json': '{"mediaType": "x", "tlogs": []}',
};

function readFile(path: string): string {
  const text = FILES[path];
  if (text === undefined) throw new Error('no such file');
  return text;
}

const payloadOf = (text: string): Uint8Array => trustPolicyPayload(text, 'trust/trust.yaml', readFile);

/** As expectRefusal, for what fails later. */
async function expectLateRefusal(code: ErrorCode, run: () => Promise<unknown>): Promise<void> {
  const outcome = await run().then(
    () => undefined,
    (error: unknown) => error,
  );
  expectRefusal(code, () => {
    if (outcome !== undefined) throw outcome;
  });
}

describe('the payload of a signed trust policy', () => {
  test('says what the plain one says, without naming a file', async () => {
    const { policy } = verifySignedTrustPolicy(await signTrustPolicy(payloadOf(POLICY), [ALICE, BOB]), 'x', {
      kind: 'first',
      pins: [],
    });
    expect(policy).toEqual(parseTrustPolicy(POLICY, 'trust/trust.yaml', readFile));
    expect(new TextDecoder().decode(payloadOf(POLICY))).not.toMatch(/ci\.pub|trusted_root\.json/);
  });

  test('is the same however the policy is written down', () => {
    const lines = POLICY.replace('version: 3          # comments do not survive\n', '').trimEnd();
    expect(payloadOf(`${lines}\nversion: 3\n`)).toEqual(payloadOf(POLICY));
  });

  test.each([
    ['version', 'version: 3'],
    ['expires', 'expires: 2027-06-01T00:00:00Z'],
  ])('needs %s', (name, line) => {
    const refusal = expectRefusal('TRUST_POLICY_NOT_SIGNABLE', () => payloadOf(POLICY.replace(line, '')));
    expect(refusal.message).toContain(`found no ${name}`);
  });

  test('needs root keys', () => {
    const text = POLICY.slice(0, POLICY.indexOf('rootKeys:'));
    expectRefusal('TRUST_POLICY_NOT_SIGNABLE', () => payloadOf(text));
  });

  test('holds integers only, also in an inline trusted root', () => {
    const text = POLICY.replace('roots/trusted_root.json', '{ x: 1.5 }');
    expectRefusal('TRUST_POLICY_NOT_SIGNABLE', () => payloadOf(text));
  });

  test('has the faults of the plain one at their lines', () => {
    const refusal = expectRefusal('TRUST_POLICY_KEY_UNREADABLE', () =>
      payloadOf(POLICY.replace('ci.pub', 'ic.pub')),
    );
    expect(refusal.location?.line).toBe(8);
  });
});

describe('signing a trust policy', () => {
  const payload = payloadOf(POLICY);
  const keyIdsIn = (bytes: Uint8Array) => decodeSignedPolicy(bytes, 'x').signatures.map(({ keyId }) => keyId);

  test('one after the other gives the bytes of both at once', async () => {
    const both = await signTrustPolicy(payload, [ALICE, BOB]);
    const first = await signTrustPolicy(payload, [BOB]);
    expect(await addPolicySignatures(first, 'x', [ALICE])).toEqual(both);
    expect(await addPolicySignatures(both, 'x', [ALICE])).toEqual(both);
  });

  test('counts a key that is given twice once', async () => {
    expect(keyIdsIn(await signTrustPolicy(payload, [ALICE, ALICE]))).toEqual([ALICE.publicKey.keyId]);
  });

  test('waits for a signer that answers later', async () => {
    const slow: Signer = { publicKey: ALICE.publicKey, sign: async (message) => ALICE.sign(message) };
    expect(await signTrustPolicy(payload, [slow])).toEqual(await signTrustPolicy(payload, [ALICE]));
  });

  test.each<[what: string, sign: (message: Uint8Array) => Uint8Array]>([
    ['of another key', (message) => MALLORY.sign(message)],
    ['of other bytes', () => ALICE.sign(utf8('other'))],
    ['of no length', () => new Uint8Array(0)],
  ])('refuses a signature %s before it is written', async (_what, sign) => {
    await expectLateRefusal('TRUST_POLICY_SIGNATURE_INVALID', () =>
      signTrustPolicy(payload, [{ publicKey: ALICE.publicKey, sign }]),
    );
  });

  test('adds to nothing that a node could not read', async () => {
    const nonsense = envelopeOver(utf8('{}'), [ALICE]);
    await expectLateRefusal('TRUST_POLICY_INVALID', () => addPolicySignatures(nonsense, 'x', [BOB]));
    const { rootKeys: _, ...rootless } = policyDocument();
    const plain = utf8(JSON.stringify(rootless));
    await expectLateRefusal('TRUST_POLICY_ENVELOPE_INVALID', () => addPolicySignatures(plain, 'x', [BOB]));
  });

  test('keeps signatures that are already there', async () => {
    const bytes = await addPolicySignatures(signedPolicy({}, [MALLORY, ALICE]), 'x', [BOB]);
    expect(keyIdsIn(bytes)).toEqual([ALICE, BOB, MALLORY].map(({ publicKey }) => publicKey.keyId).sort());
  });
});

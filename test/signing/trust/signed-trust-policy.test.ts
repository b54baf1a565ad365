import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { IN_TOTO_PAYLOAD_TYPE, preAuthenticationEncoding } from '../../../signing/attestation/dsse.js';
import { decodeSigstoreBundle } from '../../../signing/attestation/sigstore-bundle.js';
import { encodeBase64 } from '../../../signing/documents/base64.js';
import { canonicalJson } from '../../../signing/documents/canonical-json.js';
import { YamlSource } from '../../../signing/documents/yaml-source.js';
import type { PrivateKey } from '../../../signing/keys/key-pair.js';
import {
  decodeSignedPolicy,
  encodeSignedPolicy,
  isSignedPolicy,
  TRUST_POLICY_PAYLOAD_TYPE,
} from '../../../signing/trust/signed-policy-envelope.js';
import {
  type PolicyRoot,
  type VerifiedTrustPolicy,
  verifySignedTrustPolicy,
} from '../../../signing/trust/signed-policy-verifier.js';
import { requireUnexpired } from '../../../signing/trust/signed-trust-policy.js';
import { CI_KEY, expectRefusal, SAMPLE_BUNDLE, utf8 } from '../sample-bundle.js';
import {
  ALICE,
  BOB,
  CAROL,
  EXPIRES,
  envelopeOver,
  MALLORY,
  pemOf,
  policyDocument,
  signedPolicy,
} from './sample-signed-policy.js';

const FIRST: PolicyRoot = { kind: 'first', pins: [] };
/** Two of Alice, Bob and Carol sign the next policy. */
const OLD_ROOT: PolicyRoot = {
  kind: 'previous',
  rootKeys: { threshold: 2, keys: [ALICE, BOB, CAROL].map(({ publicKey }) => publicKey) },
};

const verify = (bytes: Uint8Array, root: PolicyRoot = FIRST): VerifiedTrustPolicy =>
  verifySignedTrustPolicy(bytes, 'trust.signed.json', root);
const idOf = ({ publicKey }: PrivateKey): string => publicKey.keyId;

describe('the first trust policy', () => {
  test('is read when its own root keys signed it', () => {
    const { policy, digest, rootSigners, unknownSigners } = verify(
      signedPolicy({ version: 7 }, [ALICE, BOB]),
    );
    expect(policy.version).toBe(7);
    expect(policy.expires).toEqual(new Date(EXPIRES));
    expect(policy.signers).toEqual([{ kind: 'key', id: 'ci', publicKey: CI_KEY.publicKey }]);
    expect(policy.rootKeys).toEqual({ threshold: 2, keys: [ALICE.publicKey, BOB.publicKey] });
    const payload = canonicalJson(policyDocument({ version: 7 }));
    expect(digest).toBe(`sha256:${createHash('sha256').update(payload).digest('hex')}`);
    expect(rootSigners).toEqual([idOf(ALICE), idOf(BOB)].sort());
    expect(unknownSigners).toEqual([]);
  });

  test('may have signatures of others, which say nothing and are listed', () => {
    const { rootSigners, unknownSigners } = verify(signedPolicy({}, [ALICE, MALLORY, BOB]));
    expect(rootSigners).not.toContain(idOf(MALLORY));
    expect(unknownSigners).toEqual([idOf(MALLORY)]);
  });

  test('is read when a pinned root key signed it', () => {
    const pins = [idOf(BOB)];
    expect(verify(signedPolicy({}, [ALICE, BOB]), { kind: 'first', pins }).policy.version).toBe(1);
  });

  test.each<[what: string, bytes: Uint8Array, pins: readonly PrivateKey[], code: ErrorCode]>([
    ['by one root key of two', signedPolicy({}, [ALICE]), [], 'TRUST_POLICY_ROOT_THRESHOLD_NOT_MET'],
    [
      'by one root key twice',
      encodeSignedPolicy({
        payload: canonicalJson(policyDocument()),
        signatures: [1, 2].flatMap(() => decodeSignedPolicy(signedPolicy({}, [ALICE]), '').signatures),
      }),
      [],
      'TRUST_POLICY_ROOT_THRESHOLD_NOT_MET',
    ],
    ['by a stranger', signedPolicy({}, [ALICE, MALLORY]), [], 'TRUST_POLICY_ROOT_THRESHOLD_NOT_MET'],
    [
      'by a key that only signs bundles',
      signedPolicy({}, [ALICE, CI_KEY]),
      [],
      'TRUST_POLICY_ROOT_THRESHOLD_NOT_MET',
    ],
    [
      'by root keys that are not the pinned one',
      signedPolicy({ roots: [MALLORY], threshold: 1 }, [MALLORY]),
      [ALICE],
      'TRUST_POLICY_ROOT_KEY_MISSING',
    ],
    [
      'naming the pinned key beside those that signed',
      signedPolicy({ roots: [MALLORY, ALICE], threshold: 1 }, [MALLORY]),
      [ALICE],
      'TRUST_POLICY_ROOT_THRESHOLD_NOT_MET',
    ],
    [
      'by one of two pinned keys',
      signedPolicy({ threshold: 1 }, [ALICE]),
      [ALICE, BOB],
      'TRUST_POLICY_ROOT_THRESHOLD_NOT_MET',
    ],
  ])('is refused: signed %s', (_what, bytes, pins, code) => {
    expectRefusal(code, () => verify(bytes, { kind: 'first', pins: pins.map(idOf) }));
  });
});

describe('a rotation', () => {
  test.each<[what: string, roots: readonly PrivateKey[], threshold: number, signers: readonly PrivateKey[]]>([
    ['to the same keys', [ALICE, BOB, CAROL], 2, [BOB, CAROL]],
    ['to other keys, signed by two of each', [MALLORY, CAROL], 2, [ALICE, CAROL, MALLORY]],
    ['to one key alone', [MALLORY], 1, [ALICE, BOB, MALLORY]],
  ])('%s is accepted', (_what, roots, threshold, signers) => {
    const verified = verify(signedPolicy({ version: 8, roots, threshold }, signers), OLD_ROOT);
    expect(verified.policy.rootKeys.keys).toEqual(roots.map(({ publicKey }) => publicKey));
    expect(verified.unknownSigners).toEqual([]);
  });

  test.each<[what: string, roots: readonly PrivateKey[], signers: readonly PrivateKey[]]>([
    ['by the new keys only', [MALLORY], [MALLORY]],
    ['by the new keys and one old key', [MALLORY], [MALLORY, ALICE]],
    ['by the old keys only', [MALLORY], [ALICE, BOB]],
    ['by old keys below their threshold', [ALICE, BOB, CAROL], [ALICE]],
  ])('is refused: signed %s', (_what, roots, signers) => {
    const bytes = signedPolicy({ version: 8, roots, threshold: 1 }, signers);
    expectRefusal('TRUST_POLICY_ROOT_THRESHOLD_NOT_MET', () => verify(bytes, OLD_ROOT));
  });

  test('refuses a false signature by a key that counts, also beside enough good ones', () => {
    const payload = canonicalJson(policyDocument({ version: 8 }));
    const { signatures } = decodeSignedPolicy(envelopeOver(payload, [ALICE, BOB]), '');
    const [{ signature } = { signature: new Uint8Array() }] = signatures;
    const bytes = encodeSignedPolicy({
      payload,
      signatures: [...signatures, { keyId: idOf(CAROL), signature }],
    });
    expectRefusal('TRUST_POLICY_SIGNATURE_INVALID', () => verify(bytes, OLD_ROOT));
  });

  test('reads nothing of the payload before the old root has signed it', () => {
    // If the parser saw these bytes, its own error would come.
    const bytes = envelopeOver(utf8('[[[['), [MALLORY]);
    expectRefusal('TRUST_POLICY_ROOT_THRESHOLD_NOT_MET', () => verify(bytes, OLD_ROOT));
  });
});

describe('payload types do not mix', () => {
  const attestation = [...SAMPLE_BUNDLE]
    .filter(([path]) => path.startsWith('blobs/'))
    .map(([, bytes]) => bytes)
    .find((bytes) => new TextDecoder().decode(bytes).includes('dsseEnvelope'));
  if (attestation === undefined) throw new Error('the sample bundle has no attestation');
  const { payload, payloadType } = decodeSigstoreBundle(attestation, 'attestation');

  test('the envelope of a bundle is no trust policy', () => {
    const { dsseEnvelope } = JSON.parse(new TextDecoder().decode(attestation));
    expectRefusal('TRUST_POLICY_ENVELOPE_INVALID', () => verify(canonicalJson(dsseEnvelope)));
  });

  test('nor is it one when it claims to be: the type is signed', () => {
    expect(payloadType).toBe(IN_TOTO_PAYLOAD_TYPE);
    const document = policyDocument({ roots: [CI_KEY], threshold: 1 });
    const bytes = canonicalJson(document);
    const signature = CI_KEY.sign(preAuthenticationEncoding(IN_TOTO_PAYLOAD_TYPE, bytes));
    const envelope = encodeSignedPolicy({ payload: bytes, signatures: [{ keyId: idOf(CI_KEY), signature }] });
    expectRefusal('TRUST_POLICY_SIGNATURE_INVALID', () => verify(envelope));
  });

  test('a statement that root keys signed as a trust policy is none', () => {
    const envelope = envelopeOver(payload, [ALICE, BOB, CAROL]);
    expectRefusal('TRUST_POLICY_INVALID', () => verify(envelope, OLD_ROOT));
    expectRefusal('TRUST_POLICY_NOT_SIGNABLE', () => verify(envelope, FIRST));
  });
});

describe('a payload that root keys signed', () => {
  const plain = policyDocument();
  test.each<[what: string, payload: Uint8Array, code: ErrorCode]>([
    ['has no version', without('version'), 'TRUST_POLICY_NOT_SIGNABLE'],
    ['is not canonical', utf8(JSON.stringify(plain)), 'BUNDLE_JSON_NOT_CANONICAL'],
    ['is YAML', utf8('apiVersion: vespid.dev/v1\n'), 'BUNDLE_JSON_MALFORMED'],
    ['has a member twice', utf8('{"kind":"TrustPolicy","kind":"TrustPolicy"}'), 'BUNDLE_JSON_DUPLICATE_KEY'],
    ['has an unknown member', canonicalJson({ ...plain, more: 1 }), 'TRUST_POLICY_INVALID'],
    [
      'names a file',
      canonicalJson({ ...plain, keys: [{ id: 'ci', publicKey: '/etc/passwd' }] }),
      'TRUST_POLICY_KEY_UNREADABLE',
    ],
    ['has no expiry', without('expires'), 'TRUST_POLICY_NOT_SIGNABLE'],
    ['has no root keys', without('rootKeys'), 'TRUST_POLICY_NOT_SIGNABLE'],
  ])('is refused when it %s', (_what, payload, code) => {
    expectRefusal(code, () => verify(envelopeOver(payload, [ALICE, BOB]), OLD_ROOT));
  });

  function without(name: 'version' | 'expires' | 'rootKeys'): Uint8Array {
    return canonicalJson(Object.fromEntries(Object.entries(plain).filter(([key]) => key !== name)));
  }
});

describe('the envelope', () => {
  const payload = utf8('{"a":1}');
  const good = envelopeOver(payload, [ALICE, BOB]);
  const document = JSON.parse(new TextDecoder().decode(good));
  const decode = (bytes: Uint8Array) => decodeSignedPolicy(bytes, 'trust.signed.json');

  test('has its signatures by key id, whatever the order of signing', () => {
    expect(envelopeOver(payload, [BOB, ALICE])).toEqual(good);
  });

  test('comes back as it was written', () => {
    const bytes = fc.uint8Array({ minLength: 3, maxLength: 100 });
    const keyId = fc.stringMatching(/^[0-9a-f]{64}$/);
    const signature = fc.record({ keyId, signature: fc.uint8Array({ minLength: 64, maxLength: 64 }) });
    const signatures = fc.uniqueArray(signature, {
      selector: (one) => one.keyId,
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(bytes, signatures, (anyPayload, all) => {
        const decoded = decode(encodeSignedPolicy({ payload: anyPayload, signatures: all }));
        expect(decoded.payload).toEqual(anyPayload);
        expect(decoded.signatures).toEqual([...all].sort((a, b) => (a.keyId < b.keyId ? -1 : 1)));
      }),
    );
  });

  test.each<[what: string, bytes: Uint8Array]>([
    ['nothing', utf8('')],
    ['a line feed at its end', Buffer.concat([good, utf8('\n')])],
    ['indentation', utf8(JSON.stringify(document, null, 2))],
    ['an unknown member', canonicalJson({ ...document, more: 1 })],
    ['no signature', canonicalJson({ ...document, signatures: [] })],
    ['129 signatures', canonicalJson({ ...document, signatures: Array(129).fill(document.signatures[0]) })],
    ['another payload type', canonicalJson({ ...document, payloadType: IN_TOTO_PAYLOAD_TYPE })],
    [
      'a payload type in other letters',
      canonicalJson({ ...document, payloadType: TRUST_POLICY_PAYLOAD_TYPE.toUpperCase() }),
    ],
    ['base64 for URLs', canonicalJson({ ...document, payload: '_-8=' })],
    ['base64 with bits to spare', canonicalJson({ ...document, payload: 'AB==' })],
    [
      'a signature of 63 bytes',
      canonicalJson({
        ...document,
        signatures: [{ keyid: idOf(ALICE), sig: encodeBase64(new Uint8Array(63)) }],
      }),
    ],
    ['a key id that is none', canonicalJson({ ...document, signatures: [{ keyid: 'alice', sig: 'AAAA' }] })],
    ['a member twice', utf8('{"payload":"AAAA","payload":"AAAA"}')],
  ])('is refused with %s', (_what, bytes) => {
    expectRefusal('TRUST_POLICY_ENVELOPE_INVALID', () => decode(bytes));
  });

  test('every byte of it counts', () => {
    const bytes = signedPolicy({}, [ALICE, BOB]);
    for (let at = 0; at < bytes.length; at += 7) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => verify(changed), `byte ${at}`).toThrow();
    }
  });

  test.each([
    [true, new TextDecoder().decode(good)],
    [true, '\n{ "payloadType" :'],
    [true, '{"signatures":[]}'],
    [false, 'apiVersion: vespid.dev/v1\n'],
    [false, '{"apiVersion":"vespid.dev/v1","payload":1}'],
    [false, ''],
  ])('is told apart from a plain policy: %s', (expected, text) => {
    expect(isSignedPolicy(text)).toBe(expected);
  });
});

test('YAML reads canonical JSON as JSON does, so that what was signed is what is read', () => {
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.string({ unit: 'binary' }).filter((text) => !/\p{Surrogate}/u.test(text)),
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value')),
      fc.dictionary(fc.string(), tie('value')),
    ),
  })).value;
  fc.assert(
    fc.property(value, (json) => {
      const bytes = canonicalJson(json);
      const read = new YamlSource(
        'policy',
        new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes),
      ).toValue();
      expect(canonicalJson(read)).toEqual(bytes);
    }),
    { numRuns: 500 },
  );
});

test.each([
  ['a moment before', '2027-05-31T23:59:59.999Z', false],
  ['at', EXPIRES, true],
  ['after', '2030-01-01T00:00:00Z', true],
])('a policy is expired %s its expiry', (_what, now, expired) => {
  const check = () => requireUnexpired({ expires: new Date(EXPIRES) }, new Date(now), 'trust.yaml');
  if (!expired) expect(check).not.toThrow();
  else expectRefusal('TRUST_POLICY_EXPIRED', check);
});

test('root keys in a payload are held to the rules for keys', () => {
  const weak =
    '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END PUBLIC KEY-----\n';
  const document = { ...policyDocument(), rootKeys: { threshold: 1, keys: [weak, pemOf(ALICE)] } };
  expectRefusal('KEY_WEAK', () => verify(envelopeOver(canonicalJson(document), [ALICE])));
});

import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { encodeSigstoreBundle } from '../../../signing/attestation/sigstore-bundle.js';
import type { KeylessSigstoreBundle } from '../../../signing/attestation/sigstore-bundle-schema.js';
import { canonicalJson } from '../../../signing/documents/canonical-json.js';
import { decodeSigstoreBundle } from '../../../signing/index.js';
import { expectRefusal } from '../sample-bundle.js';
import { PAYLOAD, PAYLOAD_TYPE, SigstoreInstance } from './sigstore-instance.js';

const KEY_ID = 'ab'.repeat(32);
const MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

const keyed = {
  mediaType: MEDIA_TYPE,
  verificationMaterial: { publicKey: { hint: KEY_ID } },
  dsseEnvelope: {
    payload: Buffer.from(PAYLOAD).toString('base64'),
    payloadType: PAYLOAD_TYPE,
    signatures: [{ sig: Buffer.alloc(64, 1).toString('base64'), keyid: KEY_ID }],
  },
};

let keyless: KeylessSigstoreBundle;
beforeAll(async () => {
  const sigstore = await SigstoreInstance.start();
  keyless = await sigstore.timestamp(await sigstore.attest());
});

const decode = (bundle: unknown) => decodeSigstoreBundle(canonicalJson(bundle), 'attestation');

test('a bundle by key gives key id and signature', () => {
  expect(decode(keyed)).toEqual({
    payloadType: PAYLOAD_TYPE,
    payload: PAYLOAD,
    material: { kind: 'key', keyId: KEY_ID, signature: new Uint8Array(64).fill(1) },
  });
});

test('a bundle by certificate gives the bundle', () => {
  const { material, ...envelope } = decode(keyless);
  expect(envelope).toEqual({ payloadType: PAYLOAD_TYPE, payload: PAYLOAD });
  expect(material).toEqual({ kind: 'certificate', bundle: keyless });
});

test('what was decoded encodes to the same bytes', () => {
  for (const bundle of [keyed, keyless])
    expect(encodeSigstoreBundle(decode(bundle))).toEqual(canonicalJson(bundle));
});

test('any attestation by key comes back from its bytes', () => {
  const bytes = (constraints: { minLength: number; maxLength: number }) => fc.uint8Array(constraints);
  fc.assert(
    fc.property(
      bytes({ minLength: 1, maxLength: 200 }),
      fc.string({ minLength: 1, maxLength: 256 }),
      bytes({ minLength: 64, maxLength: 64 }),
      bytes({ minLength: 32, maxLength: 32 }),
      (payload, payloadType, signature, key) => {
        const keyId = Buffer.from(key).toString('hex');
        const attestation = { payloadType, payload, material: { kind: 'key', keyId, signature } as const };
        expect(decodeSigstoreBundle(encodeSigstoreBundle(attestation), 'attestation')).toEqual(attestation);
      },
    ),
  );
});

describe('refused is a bundle', () => {
  type Json = Readonly<Record<string, unknown>>;
  const withMaterial = (bundle: Json, members: Json): Json => ({
    ...bundle,
    verificationMaterial: { ...Object(bundle['verificationMaterial']), ...members },
  });
  const withSignature = (bundle: Json, members: Json): Json => {
    const envelope = Object(bundle['dsseEnvelope']);
    return {
      ...bundle,
      dsseEnvelope: { ...envelope, signatures: [{ ...envelope.signatures[0], ...members }] },
    };
  };
  const withEntry = (members: Json): Json => {
    const entries = keyless.verificationMaterial.tlogEntries ?? [];
    return withMaterial({ ...keyless }, { tlogEntries: entries.map((entry) => ({ ...entry, ...members })) });
  };
  const rows: readonly { name: string; bundle: () => Json; code?: ErrorCode }[] = [
    {
      name: 'by key that presents a certificate',
      bundle: () => withMaterial(keyed, { certificate: keyless.verificationMaterial.certificate }),
    },
    {
      name: 'by certificate that presents a key',
      bundle: () => withMaterial({ ...keyless }, { publicKey: { hint: KEY_ID } }),
    },
    {
      name: 'by key whose hint is a certificate',
      bundle: () =>
        withMaterial(keyed, { publicKey: { hint: keyless.verificationMaterial.certificate.rawBytes } }),
    },
    {
      name: 'by key with entries of a log, which nobody would verify',
      bundle: () => withMaterial(keyed, { tlogEntries: keyless.verificationMaterial.tlogEntries }),
    },
    {
      name: 'by key with two ids',
      bundle: () => withSignature(keyed, { keyid: 'cd'.repeat(32) }),
      code: 'BUNDLE_KEY_ID_MISMATCH',
    },
    {
      name: 'by key with a signature of another length',
      bundle: () => withSignature(keyed, { sig: 'AAAA' }),
      code: 'BUNDLE_SIGNATURE_INVALID',
    },
    { name: 'by certificate with a key id', bundle: () => withSignature({ ...keyless }, { keyid: KEY_ID }) },
    {
      name: 'by certificate with an empty key id',
      bundle: () => withSignature({ ...keyless }, { keyid: '' }),
    },
    {
      name: 'with a chain of certificates, as older versions had',
      bundle: () => ({
        ...keyless,
        verificationMaterial: {
          x509CertificateChain: { certificates: [keyless.verificationMaterial.certificate] },
        },
      }),
    },
    { name: 'with neither', bundle: () => ({ ...keyless, verificationMaterial: {} }) },
    { name: 'of version 0.2', bundle: () => ({ ...keyless, mediaType: MEDIA_TYPE.replace('0.3', '0.2') }) },
    {
      name: 'over a digest instead of a payload',
      bundle: () => ({
        ...keyless,
        messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest: 'AAAA' }, signature: 'AAAA' },
      }),
    },
    {
      name: 'with two signatures',
      bundle: () => ({
        ...keyless,
        dsseEnvelope: {
          ...keyless.dsseEnvelope,
          signatures: [...keyless.dsseEnvelope.signatures, ...keyless.dsseEnvelope.signatures],
        },
      }),
    },
    { name: 'without entries, in a list', bundle: () => withMaterial({ ...keyless }, { tlogEntries: [] }) },
    {
      name: 'with more entries than are verified',
      bundle: () => {
        const [entry] = keyless.verificationMaterial.tlogEntries ?? [];
        return withMaterial({ ...keyless }, { tlogEntries: Array(5).fill(entry) });
      },
    },
    {
      name: 'with more timestamps than are verified',
      bundle: () =>
        withMaterial(
          { ...keyless },
          { timestampVerificationData: { rfc3161Timestamps: Array(5).fill({ signedTimestamp: 'AAAA' }) } },
        ),
    },
    {
      name: 'with a certificate larger than any',
      bundle: () => withMaterial({ ...keyless }, { certificate: { rawBytes: 'AAAA'.repeat(5000) } }),
    },
    {
      name: 'with a certificate in another base64',
      bundle: () => withMaterial({ ...keyless }, { certificate: { rawBytes: 'AAB=' } }),
    },
    {
      name: 'with an entry of another kind',
      bundle: () => withEntry({ kindVersion: { kind: 'intoto', version: '0.0.2' } }),
    },
    { name: 'with an entry of index 0 in words', bundle: () => withEntry({ logIndex: '0' }) },
    { name: 'with an entry of a negative index', bundle: () => withEntry({ logIndex: '-1' }) },
    { name: 'with an index that no double holds', bundle: () => withEntry({ logIndex: '9'.repeat(16) }) },
    { name: 'with an index that is a number', bundle: () => withEntry({ logIndex: 1 }) },
    {
      name: 'with a time that no promise covers',
      bundle: () => {
        const [entry] = keyless.verificationMaterial.tlogEntries ?? [];
        const { inclusionPromise: _, ...unpromised } = entry ?? {};
        return withMaterial({ ...keyless }, { tlogEntries: [unpromised] });
      },
    },
    { name: 'with a member that nobody knows', bundle: () => withEntry({ extra: true }) },
  ];
  test.each(rows)('$name', ({ bundle, code = 'BUNDLE_DOCUMENT_INVALID' }) => {
    expectRefusal(code, () => decode(bundle()));
  });

  test('that is not canonical', () => {
    const bytes = new TextEncoder().encode(JSON.stringify(keyless, undefined, 1));
    expectRefusal('BUNDLE_JSON_NOT_CANONICAL', () => decodeSigstoreBundle(bytes, 'attestation'));
  });
});

import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { wholeSequence } from '../../../signing/documents/der-reader.js';
import { ISSUER, type Issue, type SigstoreInstance, SUBJECT } from './sigstore-instance.js';

/** What a certificate says; a member that is undefined leaves its extension out. */
export interface CertificateClaims {
  /** Content of the subject alternative name's SEQUENCE. */
  readonly names?: Buffer | undefined;
  /** Dotted object identifiers of key purposes. */
  readonly purposes?: readonly string[] | undefined;
  readonly issuerV1?: Buffer | undefined;
  /** Content of the extension: DER of a UTF8String as a rule. */
  readonly issuerV2?: Buffer | undefined;
  /** Further extensions, by object identifier. */
  readonly further?: readonly (readonly [oid: string, value: Buffer])[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

export const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const EXTENSION = {
  subjectAltName: '2.5.29.17',
  extendedKeyUsage: '2.5.29.37',
  issuerV1: '1.3.6.1.4.1.57264.1.1',
  issuerV2: '1.3.6.1.4.1.57264.1.8',
  timestamps: '1.3.6.1.4.1.11129.2.4.2',
};
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const HOUR_MS = 3_600_000;

export const uriName = (text: string | Buffer) => der(0x86, Buffer.from(text));
export const emailName = (text: string) => der(0x81, Buffer.from(text));
export const dnsName = (text: string) => der(0x82, Buffer.from(text));
export const utf8String = (text: string) => der(0x0c, Buffer.from(text));

const HONEST: CertificateClaims = {
  names: uriName(SUBJECT),
  purposes: [CODE_SIGNING],
  issuerV1: Buffer.from(ISSUER),
  issuerV2: utf8String(ISSUER),
};

/**
 * Issues certificates that Fulcio never would, under its own key: the mocked one takes one name only.
 *
 * @param options `log`: who signs the certificate timestamp; null: nobody. `key`: another than the authority's.
 */
export function forge(
  sigstore: SigstoreInstance,
  claims: CertificateClaims = {},
  options: { readonly log?: SigstoreInstance['ctlog'] | null; readonly key?: KeyObject } = {},
): Issue {
  const { log = sigstore.ctlog, key = sigstore.caKey } = options;
  return async (publicKey) => {
    const certificate = { ...HONEST, ...claims };
    const extensions = extensionsOf(certificate);
    const subject = subjectOf(sigstore.caCertificate);
    if (log === null) return build(certificate, publicKey, extensions, subject, key);
    const preCertificate = build(certificate, publicKey, extensions, subject, key);
    const issuerKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
    const issuerKeyHash = createHash('sha256').update(issuerKey).digest();
    const timestamp = Buffer.from(
      await log.log(Uint8Array.from(preCertificate).buffer, Uint8Array.from(issuerKeyHash).buffer),
    );
    const list = Buffer.concat([Buffer.of(timestamp.length >> 8, timestamp.length & 0xff), timestamp]);
    const timestamps = extension(EXTENSION.timestamps, der(0x04, list));
    return build(certificate, publicKey, [...extensions, timestamps], subject, key);
  };
}

function extensionsOf({ names, purposes, issuerV1, issuerV2, further = [] }: CertificateClaims): Buffer[] {
  return [
    ...(purposes === undefined
      ? []
      : [extension(EXTENSION.extendedKeyUsage, sequence(...purposes.map(objectIdentifier)))]),
    ...(names === undefined ? [] : [extension(EXTENSION.subjectAltName, sequence(names))]),
    ...(issuerV1 === undefined ? [] : [extension(EXTENSION.issuerV1, issuerV1)]),
    ...(issuerV2 === undefined ? [] : [extension(EXTENSION.issuerV2, issuerV2)]),
    ...further.map(([oid, value]) => extension(oid, value)),
  ];
}

/** RFC 5280 section 4.1. */
function build(
  { notBefore = new Date(), notAfter = new Date(Date.now() + HOUR_MS) }: CertificateClaims,
  publicKey: Buffer,
  extensions: readonly Buffer[],
  issuer: Buffer,
  key: KeyObject,
): Buffer {
  const algorithm = sequence(objectIdentifier(ECDSA_WITH_SHA256));
  const tbs = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(1, 2, 3)),
    algorithm,
    issuer,
    sequence(utcTime(notBefore), utcTime(notAfter)),
    sequence(),
    publicKey,
    der(0xa3, sequence(...extensions)),
  );
  return sequence(tbs, algorithm, der(0x03, Buffer.of(0), sign('sha256', tbs, key)));
}

/** The subject of a certificate, with its header: the sixth member of the TBSCertificate. */
function subjectOf(certificate: Buffer): Buffer {
  const subject = wholeSequence(certificate).sequence().elements()[5];
  if (subject === undefined) throw new Error('not a certificate');
  return der(subject.tag, Buffer.from(subject.content));
}

function extension(oid: string, value: Buffer): Buffer {
  return sequence(objectIdentifier(oid), der(0x04, value));
}

function utcTime(date: Date): Buffer {
  const digits = date.toISOString().replace(/[-:T]/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}

function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number);
  return der(0x06, Buffer.from([first * 40 + second, ...others.flatMap(base128)]));
}

function base128(value: number): number[] {
  const low = value & 0x7f;
  return value < 0x80 ? [low] : [...base128(value >> 7).map((byte) => byte | 0x80), low];
}

export function sequence(...content: readonly Buffer[]): Buffer {
  return der(0x30, ...content);
}

export function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.of(tag), lengthOf(body), body]);
}

function lengthOf({ length }: Buffer): Buffer {
  if (length < 0x80) return Buffer.of(length);
  return length < 0x100 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 0xff);
}

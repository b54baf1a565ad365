import { DerFault, DerReader, wholeSequence } from '../documents/der-reader.js';
import { keylessRefusal } from './keyless-refusal.js';

/** One extension of a certificate: dotted object identifier, and the content of its OCTET STRING. */
export interface CertificateExtension {
  readonly oid: string;
  readonly value: Uint8Array;
}

/** Whom a certificate names: the OIDC issuer that vouched for the subject, and the subject. */
export interface CertificateIdentity {
  readonly issuer: string;
  readonly subject: string;
}

/** RFC 5280 sections 4.2.1.6 and 4.2.1.12; sigstore/fulcio docs/oid-info.md. */
const OID = {
  subjectAltName: '2.5.29.17',
  extendedKeyUsage: '2.5.29.37',
  issuerV1: '1.3.6.1.4.1.57264.1.1',
  issuerV2: '1.3.6.1.4.1.57264.1.8',
} as const;

/** GeneralName: rfc822Name [1] and uniformResourceIdentifier [6], both implicit IA5String. */
const GENERAL_NAME_TAGS: readonly number[] = [0x81, 0x86];
/** id-kp-codeSigning (RFC 5280 section 4.2.1.12) */
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
/** Visible ASCII: what URLs and e-mail addresses are made of. A line feed or a NUL is in no identity. */
const VISIBLE = /^[\x21-\x7e]+$/;

/**
 * The identity in a Fulcio certificate, read so that there is one answer: one issuer, one subject, in visible ASCII.
 * `@sigstore/verify` takes the first of several names and drops the high bit of each byte, which would let `á`
 * stand for `a`.
 *
 * @param extensions of a certificate whose chain was verified
 * @throws VespidError BUNDLE_CERTIFICATE_INVALID
 */
export function readCertificateIdentity(
  extensions: readonly CertificateExtension[],
  where: string,
): CertificateIdentity {
  const values = new Map<string, Uint8Array>();
  for (const { oid, value } of extensions) {
    // RFC 5280 section 4.2: at most one instance of an extension; readers differ in which of two they take.
    if (values.has(oid)) throw refuse(where, `expected each extension once, found ${oid} again`);
    values.set(oid, value);
  }
  try {
    requireCodeSigning(values.get(OID.extendedKeyUsage), where);
    return { issuer: readIssuer(values, where), subject: readSubject(values.get(OID.subjectAltName), where) };
  } catch (error) {
    if (!(error instanceof DerFault)) throw error;
    throw refuse(where, `expected DER in its extensions, found ${error.message}`);
  }
}

/** A CA may issue certificates for other purposes under the same root; those sign no code. */
function requireCodeSigning(value: Uint8Array | undefined, where: string): void {
  const purposes = value === undefined ? [] : objectIdentifiersIn(wholeSequence(value));
  if (purposes.includes(CODE_SIGNING)) return;
  throw refuse(where, 'expected a certificate for code signing, found another purpose');
}

function objectIdentifiersIn(sequence: DerReader): readonly string[] {
  const identifiers: string[] = [];
  while (!sequence.isAtEnd) identifiers.push(sequence.objectIdentifier());
  return identifiers;
}

/** Fulcio writes both forms; older ones wrote the first only. */
function readIssuer(values: ReadonlyMap<string, Uint8Array>, where: string): string {
  const [raw, encoded] = [values.get(OID.issuerV1), values.get(OID.issuerV2)];
  const oldForm = raw === undefined ? undefined : readVisible(raw, 'OIDC issuer', where);
  if (encoded === undefined) {
    if (oldForm !== undefined) return oldForm;
    throw refuse(where, `expected the OIDC issuer in extension ${OID.issuerV2}, found none`);
  }
  const reader = new DerReader(encoded);
  const issuer = readVisible(reader.utf8String(), 'OIDC issuer', where);
  reader.end();
  if (oldForm !== undefined && oldForm !== issuer) {
    throw refuse(where, `expected one OIDC issuer, found ${issuer} and ${oldForm}`);
  }
  return issuer;
}

function readSubject(value: Uint8Array | undefined, where: string): string {
  if (value === undefined) throw refuse(where, 'expected a subject alternative name, found none');
  const names = wholeSequence(value).elements();
  const [name] = names;
  if (name === undefined || names.length !== 1) {
    throw refuse(where, `expected exactly one subject alternative name, found ${names.length}`);
  }
  if (!GENERAL_NAME_TAGS.includes(name.tag)) {
    throw refuse(
      where,
      'expected a URI or an e-mail address as the subject alternative name, found another kind',
    );
  }
  return readVisible(name.content, 'subject alternative name', where);
}

function readVisible(bytes: Uint8Array, what: string, where: string): string {
  // latin1 maps each byte to one character, so nothing outside of ASCII can turn into it.
  const text = Buffer.from(bytes).toString('latin1');
  if (VISIBLE.test(text)) return text;
  throw refuse(
    where,
    `expected the ${what} to be visible ASCII without spaces, found ${JSON.stringify(text)}`,
  );
}

function refuse(where: string, expectation: string): Error {
  return keylessRefusal('BUNDLE_CERTIFICATE_INVALID', `${where}: certificate`, expectation);
}

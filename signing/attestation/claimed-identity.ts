import { DER_TAG, readDer, readOneDer } from '../documents/der-reader.js';
import {
  type CertificateExtension,
  type CertificateIdentity,
  readCertificateIdentity,
} from './keyless-certificate.js';
import { keylessRefusal } from './keyless-refusal.js';
import type { CertificateMaterial } from './sigstore-bundle.js';

/** `extensions [3] EXPLICIT` of a TBSCertificate (RFC 5280 section 4.1). */
const EXTENSIONS_TAG = 0xa3;
const OCTET_STRING_TAG = 0x04;

/**
 * Whom a certificate names, before anybody has verified it: it says whether the attestation is worth verifying, like
 * the key id of a key, and proves nothing.
 *
 * @param where names the attestation in messages
 * @throws VespidError BUNDLE_CERTIFICATE_INVALID
 */
export function claimedIdentity({ bundle }: CertificateMaterial, where: string): CertificateIdentity {
  const { rawBytes } = bundle.verificationMaterial.certificate;
  return readCertificateIdentity(readExtensions(Buffer.from(rawBytes, 'base64'), where), where);
}

function readExtensions(certificate: Uint8Array, where: string): readonly CertificateExtension[] {
  const [toBeSigned] = readDer(sequenceIn(certificate)) ?? [];
  const fields = toBeSigned?.tag === DER_TAG.sequence ? readDer(toBeSigned.content) : undefined;
  const wrapper = fields?.find(({ tag }) => tag === EXTENSIONS_TAG);
  const extensions = wrapper === undefined ? undefined : readDer(sequenceIn(wrapper.content));
  if (extensions !== undefined) return extensions.map(({ content }) => readExtension(content, where));
  throw malformed(where);
}

/** OID, an optional BOOLEAN, and the value in an OCTET STRING (RFC 5280 section 4.1). */
function readExtension(content: Uint8Array, where: string): CertificateExtension {
  const members = readDer(content) ?? [];
  const [identifier, value] = [members.at(0), members.at(-1)];
  const isExtension =
    identifier?.tag === DER_TAG.objectIdentifier && value?.tag === OCTET_STRING_TAG && members.length <= 3;
  if (!isExtension) throw malformed(where);
  return { oid: dottedIdentifier(identifier.content), value: value.content };
}

/** An object identifier in dots (X.690 section 8.19): seven bits an octet, the first two arcs in one number. */
function dottedIdentifier(content: Uint8Array): string {
  const numbers: number[] = [];
  let number = 0;
  for (const octet of content) {
    number = number * 128 + (octet & 0x7f);
    if ((octet & 0x80) !== 0) continue;
    numbers.push(number);
    number = 0;
  }
  const [first = 0, ...others] = numbers;
  const top = Math.min(2, Math.floor(first / 40));
  return [top, first - top * 40, ...others].join('.');
}

function sequenceIn(bytes: Uint8Array): Uint8Array {
  return readOneDer(bytes, DER_TAG.sequence) ?? new Uint8Array();
}

function malformed(where: string): Error {
  return keylessRefusal(
    'BUNDLE_CERTIFICATE_INVALID',
    where,
    'expected an X.509 certificate with extensions, found other bytes',
  );
}

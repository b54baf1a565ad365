import { DerFault, type DerReader, wholeSequence } from '../documents/der-reader.js';
import {
  type CertificateExtension,
  type CertificateIdentity,
  readCertificateIdentity,
} from './keyless-certificate.js';
import { keylessRefusal } from './keyless-refusal.js';
import type { CertificateMaterial } from './sigstore-bundle.js';

/** `extensions [3] EXPLICIT` of a TBSCertificate (RFC 5280 section 4.1). */
const EXTENSIONS_TAG = 0xa3;

/**
 * Whom a certificate names, before anybody has verified it: it says whether the attestation is worth verifying, like
 * the key id of a key, and proves nothing.
 *
 * @param where names the attestation in messages
 * @throws VespidError BUNDLE_CERTIFICATE_INVALID
 */
export function claimedIdentity({ bundle }: CertificateMaterial, where: string): CertificateIdentity {
  const { rawBytes } = bundle.verificationMaterial.certificate;
  return readCertificateIdentity(extensionsOf(Buffer.from(rawBytes, 'base64'), where), where);
}

function extensionsOf(certificate: Uint8Array, where: string): readonly CertificateExtension[] {
  try {
    return readExtensions(certificate);
  } catch (error) {
    if (!(error instanceof DerFault)) throw error;
    throw keylessRefusal(
      'BUNDLE_CERTIFICATE_INVALID',
      where,
      `expected an X.509 certificate with extensions, found ${error.message}`,
    );
  }
}

/** @throws DerFault */
function readExtensions(certificate: Uint8Array): readonly CertificateExtension[] {
  const toBeSigned = wholeSequence(certificate).sequence();
  const wrapper = toBeSigned.elements().find(({ tag }) => tag === EXTENSIONS_TAG);
  if (wrapper === undefined) throw new DerFault('a certificate without extensions');
  const list = wholeSequence(wrapper.content);
  const extensions: CertificateExtension[] = [];
  while (!list.isAtEnd) extensions.push(readExtension(list.sequence()));
  return extensions;
}

/** OID, an optional BOOLEAN, and the value in an OCTET STRING (RFC 5280 section 4.1). */
function readExtension(extension: DerReader): CertificateExtension {
  const oid = extension.objectIdentifier();
  if (extension.nextIs('boolean')) extension.element();
  const value = extension.octetString();
  extension.end();
  return { oid, value };
}

import { VespidError } from '../../engine/errors/index.js';
import { decodeBase64 } from '../documents/base64.js';
import { canonicalJson } from '../documents/canonical-json.js';
import { readSignedDocument } from '../documents/signed-document.js';
import { ED25519_SIGNATURE_BYTES } from '../keys/ed25519-verify.js';
import {
  base64MembersOf,
  checkSigstoreBundle,
  isKeyless,
  type KeyedSigstoreBundle,
  type KeylessSigstoreBundle,
  SIGSTORE_BUNDLE_MEDIA_TYPE,
} from './sigstore-bundle-schema.js';

export { SIGSTORE_BUNDLE_MEDIA_TYPE };

/** One signature over one payload, decoded and not yet verified. */
export interface Attestation {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly material: KeyMaterial | CertificateMaterial;
}

/** A signature with an Ed25519 key that the verifier has to know. */
export interface KeyMaterial {
  readonly kind: 'key';
  /** Says which key to try; proves nothing (DSSE protocol.md: KEYID is not authenticated). */
  readonly keyId: string;
  readonly signature: Uint8Array;
}

/** A signature with the key of a certificate, and its witnesses: what `verifyKeyless` takes. */
export interface CertificateMaterial {
  readonly kind: 'certificate';
  /** The whole bundle, of the documented form, canonical base64 in it. */
  readonly bundle: KeylessSigstoreBundle;
}

/** The canonical JSON of a Sigstore bundle v0.3 with a DSSE 1.0 envelope (envelope.md). */
export function encodeSigstoreBundle({ material, payloadType, payload }: Attestation): Uint8Array {
  if (material.kind === 'certificate') return canonicalJson(material.bundle);
  const { keyId, signature } = material;
  const bundle: KeyedSigstoreBundle = {
    mediaType: SIGSTORE_BUNDLE_MEDIA_TYPE,
    verificationMaterial: { publicKey: { hint: keyId } },
    dsseEnvelope: {
      payload: Buffer.from(payload).toString('base64'),
      payloadType,
      signatures: [{ sig: Buffer.from(signature).toString('base64'), keyid: keyId }],
    },
  };
  return canonicalJson(bundle);
}

/**
 * Decodes a Sigstore bundle without looking into its payload or its certificate.
 *
 * @param where names the attestation in messages
 * @throws VespidError BUNDLE_JSON_*, BUNDLE_DOCUMENT_INVALID, BUNDLE_KEY_ID_MISMATCH, BUNDLE_SIGNATURE_INVALID
 */
export function decodeSigstoreBundle(bytes: Uint8Array, where: string): Attestation {
  const bundle = readSignedDocument(bytes, where, checkSigstoreBundle);
  const { payload, payloadType } = bundle.dsseEnvelope;
  return {
    payloadType,
    payload: requireBase64(payload, `${where}: payload`),
    material: isKeyless(bundle) ? readCertificate(bundle, where) : readKey(bundle, where),
  };
}

function readKey({ dsseEnvelope, verificationMaterial }: KeyedSigstoreBundle, where: string): KeyMaterial {
  const [{ sig, keyid }] = dsseEnvelope.signatures;
  const { hint } = verificationMaterial.publicKey;
  if (keyid !== hint) {
    throw new VespidError(
      'BUNDLE_KEY_ID_MISMATCH',
      `${where}: expected the envelope's keyid to be the hint ${hint}, found ${keyid}`,
      { hint: 'the attestation was altered; fetch the bundle again from its source' },
    );
  }
  return { kind: 'key', keyId: hint, signature: decodeSignature(sig, where) };
}

function readCertificate(bundle: KeylessSigstoreBundle, where: string): CertificateMaterial {
  const [{ sig }] = bundle.dsseEnvelope.signatures;
  for (const [member, text] of [['signature', sig] as const, ...base64MembersOf(bundle)]) {
    requireBase64(text, `${where}: ${member}`);
  }
  return { kind: 'certificate', bundle };
}

function decodeSignature(text: string, where: string): Uint8Array {
  const signature = requireBase64(text, `${where}: signature`);
  if (signature.length === ED25519_SIGNATURE_BYTES) return signature;
  throw new VespidError(
    'BUNDLE_SIGNATURE_INVALID',
    `${where}: expected ${ED25519_SIGNATURE_BYTES} bytes of Ed25519 signature, found ${signature.length}`,
    { hint: 'the attestation was altered or made by another tool; sign the bundle with `vespid sign`' },
  );
}

function requireBase64(text: string, where: string): Uint8Array {
  const decoded = decodeBase64(text);
  if (decoded !== undefined) return decoded;
  throw new VespidError(
    'BUNDLE_DOCUMENT_INVALID',
    `${where}: expected canonical base64, found another encoding`,
    {
      hint: 'the attestation was altered; fetch the bundle again from its source',
    },
  );
}

import { VespidError } from '../../engine/errors/index.js';
import { canonicalJson } from '../documents/canonical-json.js';
import { defineSchema, readSignedDocument } from '../documents/signed-document.js';
import { ED25519_SIGNATURE_BYTES } from '../keys/ed25519-verify.js';

export const SIGSTORE_BUNDLE_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** One signature over one payload, decoded and not yet verified. */
export interface Attestation {
  /** Says which key to try; proves nothing (DSSE protocol.md: KEYID is not authenticated). */
  readonly keyId: string;
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** The members of a Sigstore bundle v0.3 (sigstore_bundle.proto, as JSON) that a key-signed one has. */
interface SigstoreBundle {
  readonly mediaType: typeof SIGSTORE_BUNDLE_MEDIA_TYPE;
  readonly verificationMaterial: { readonly publicKey: { readonly hint: string } };
  readonly dsseEnvelope: {
    readonly payload: string;
    readonly payloadType: string;
    readonly signatures: readonly { readonly sig: string; readonly keyid: string }[];
  };
}

const keyId = { type: 'string', pattern: '^[0-9a-f]{64}$' };
const base64 = { type: 'string', minLength: 4, pattern: '^[A-Za-z0-9+/]*={0,2}$' };

const checkSigstoreBundle = defineSchema<SigstoreBundle>({
  type: 'object',
  additionalProperties: false,
  required: ['mediaType', 'verificationMaterial', 'dsseEnvelope'],
  properties: {
    mediaType: { const: SIGSTORE_BUNDLE_MEDIA_TYPE },
    verificationMaterial: {
      type: 'object',
      additionalProperties: false,
      required: ['publicKey'],
      properties: {
        publicKey: {
          type: 'object',
          additionalProperties: false,
          required: ['hint'],
          properties: { hint: keyId },
        },
      },
    },
    dsseEnvelope: {
      type: 'object',
      additionalProperties: false,
      required: ['payload', 'payloadType', 'signatures'],
      properties: {
        payload: base64,
        payloadType: { type: 'string', minLength: 1, maxLength: 256 },
        // A Sigstore bundle has exactly one signature; a threshold is several bundles.
        signatures: {
          type: 'array',
          minItems: 1,
          maxItems: 1,
          items: {
            type: 'object',
            additionalProperties: false,
            required: ['sig', 'keyid'],
            properties: { sig: base64, keyid: keyId },
          },
        },
      },
    },
  },
});

/** The canonical JSON of a Sigstore bundle v0.3 with a DSSE 1.0 envelope (envelope.md). */
export function encodeSigstoreBundle(attestation: Attestation): Uint8Array {
  const bundle: SigstoreBundle = {
    mediaType: SIGSTORE_BUNDLE_MEDIA_TYPE,
    verificationMaterial: { publicKey: { hint: attestation.keyId } },
    dsseEnvelope: {
      payload: Buffer.from(attestation.payload).toString('base64'),
      payloadType: attestation.payloadType,
      signatures: [{ sig: Buffer.from(attestation.signature).toString('base64'), keyid: attestation.keyId }],
    },
  };
  return canonicalJson(bundle);
}

/**
 * Decodes a Sigstore bundle without looking into its payload.
 *
 * @param where names the attestation in messages
 * @throws VespidError BUNDLE_JSON_*, BUNDLE_DOCUMENT_INVALID, BUNDLE_KEY_ID_MISMATCH
 */
export function decodeSigstoreBundle(bytes: Uint8Array, where: string): Attestation {
  const { dsseEnvelope, verificationMaterial } = readSignedDocument(bytes, where, checkSigstoreBundle);
  const [signature] = dsseEnvelope.signatures;
  const { hint } = verificationMaterial.publicKey;
  if (signature?.keyid !== hint) {
    throw new VespidError(
      'BUNDLE_KEY_ID_MISMATCH',
      `${where}: expected the envelope's keyid to be the hint ${hint}, found ${signature?.keyid ?? 'none'}`,
      { hint: 'the attestation was altered; fetch the bundle again from its source' },
    );
  }
  return {
    keyId: hint,
    payloadType: dsseEnvelope.payloadType,
    payload: decodeBase64(dsseEnvelope.payload, `${where}: payload`),
    signature: decodeSignature(signature.sig, where),
  };
}

function decodeSignature(text: string, where: string): Uint8Array {
  const signature = decodeBase64(text, `${where}: signature`);
  if (signature.length === ED25519_SIGNATURE_BYTES) return signature;
  throw new VespidError(
    'BUNDLE_SIGNATURE_INVALID',
    `${where}: expected ${ED25519_SIGNATURE_BYTES} bytes of Ed25519 signature, found ${signature.length}`,
    { hint: 'the attestation was altered or made by another tool; sign the bundle with `vespid sign`' },
  );
}

/** Standard base64 with padding in its one canonical form (RFC 4648 section 3.5): unused bits are zero. */
function decodeBase64(text: string, where: string): Uint8Array {
  const decoded = Buffer.from(text, 'base64');
  if (decoded.toString('base64') === text) return Uint8Array.from(decoded);
  throw new VespidError(
    'BUNDLE_DOCUMENT_INVALID',
    `${where}: expected canonical base64, found another encoding`,
    {
      hint: 'the attestation was altered; fetch the bundle again from its source',
    },
  );
}

import { VespidError } from '../../engine/errors/index.js';
import { preAuthenticationEncoding } from '../attestation/dsse.js';
import { decodeBase64, encodeBase64 } from '../documents/base64.js';
import { canonicalJson } from '../documents/canonical-json.js';
import { defineSchema, readSignedDocument } from '../documents/signed-document.js';
import { ED25519_SIGNATURE_BYTES } from '../keys/ed25519-verify.js';

/** DSSE payloadType of a signed trust policy. No other document of ours has it, so no signature serves for two. */
export const TRUST_POLICY_PAYLOAD_TYPE = 'application/vnd.vespid.trust-policy.v1+json';

/** A signed trust policy as it lies in a file: decoded, nothing verified, the payload not looked into. */
export interface SignedPolicyEnvelope {
  /** Canonical JSON of the trust policy. */
  readonly payload: Uint8Array;
  readonly signatures: readonly PolicySignature[];
}

export interface PolicySignature {
  /** Says which key to try; proves nothing (DSSE protocol.md: KEYID is not authenticated). */
  readonly keyId: string;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** The JSON of DSSE 1.0.2, envelope.md, with exactly its members. */
interface EnvelopeDocument {
  readonly payload: string;
  readonly payloadType: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** Two sets of 64 root keys, the old and the new; each signature costs a verification. */
const MAX_SIGNATURES = 128;

const checkEnvelope = defineSchema<EnvelopeDocument>({
  type: 'object',
  additionalProperties: false,
  required: ['payload', 'payloadType', 'signatures'],
  properties: {
    payload: { type: 'string', minLength: 4 },
    payloadType: { type: 'string', minLength: 1, maxLength: 256 },
    signatures: {
      type: 'array',
      minItems: 1,
      maxItems: MAX_SIGNATURES,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['keyid', 'sig'],
        properties: {
          keyid: { type: 'string', pattern: '^[0-9a-f]{64}$' },
          sig: { type: 'string', maxLength: 88 },
        },
      },
    },
  },
});

/** A file that means to be an envelope: JSON whose first member is one of DSSE's. A trust policy has none of them. */
export function isSignedPolicy(text: string): boolean {
  return /^\s*\{\s*"(?:payload|payloadType|signatures)"\s*:/.test(text);
}

/** The bytes that a root key signs. */
export function policySigningInput(payload: Uint8Array): Uint8Array {
  return preAuthenticationEncoding(TRUST_POLICY_PAYLOAD_TYPE, payload);
}

/** The canonical JSON of an envelope, signatures by key id: the order in which people signed leaves no trace. */
export function encodeSignedPolicy({ payload, signatures }: SignedPolicyEnvelope): Uint8Array {
  const document: EnvelopeDocument = {
    payload: encodeBase64(payload),
    payloadType: TRUST_POLICY_PAYLOAD_TYPE,
    signatures: signatures
      .map(({ keyId, signature }) => ({ keyid: keyId, sig: encodeBase64(signature) }))
      .sort((left, right) => (left.keyid < right.keyid ? -1 : 1)),
  };
  return canonicalJson(document);
}

/**
 * Decodes an envelope without looking into its payload.
 *
 * @param where names the file in messages
 * @throws VespidError TRUST_POLICY_ENVELOPE_INVALID
 */
export function decodeSignedPolicy(bytes: Uint8Array, where: string): SignedPolicyEnvelope {
  const { payload, payloadType, signatures } = readEnvelope(bytes, where);
  if (payloadType !== TRUST_POLICY_PAYLOAD_TYPE) {
    throw invalid(`${where}: expected a payload of type ${TRUST_POLICY_PAYLOAD_TYPE}, found ${payloadType}`);
  }
  return {
    payload: requireBase64(payload, `${where}: payload`),
    signatures: signatures.map(({ keyid, sig }) => {
      const signature = requireBase64(sig, `${where}: signature by ${keyid}`);
      if (signature.length === ED25519_SIGNATURE_BYTES) return { keyId: keyid, signature };
      throw invalid(
        `${where}: expected ${ED25519_SIGNATURE_BYTES} bytes of signature by ${keyid}, found ${signature.length}`,
      );
    }),
  };
}

function readEnvelope(bytes: Uint8Array, where: string): EnvelopeDocument {
  try {
    return readSignedDocument(bytes, where, checkEnvelope, 'TRUST_POLICY_ENVELOPE_INVALID');
  } catch (cause) {
    if (!(cause instanceof VespidError)) throw cause;
    throw invalid(cause.message, cause);
  }
}

function requireBase64(text: string, what: string): Uint8Array {
  const bytes = decodeBase64(text);
  if (bytes !== undefined) return bytes;
  throw invalid(`${what}: expected canonical base64, found another encoding`);
}

function invalid(message: string, cause?: unknown): VespidError {
  return new VespidError('TRUST_POLICY_ENVELOPE_INVALID', message, {
    hint: 'give the file as `vespid trust sign` wrote it: not reformatted, with nothing added',
    cause,
  });
}

import { concatBytes } from '../documents/bytes.js';

/** payloadType of an in-toto Statement in an envelope (in-toto attestation spec v1, envelope.md). */
export const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/**
 * Pre-Authentication Encoding of DSSE 1.0.2 (protocol.md, "Signature Definition"): the exact bytes that are
 * signed. Lengths come before contents, so no two pairs of type and payload share an encoding.
 */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const typeByteLength = Buffer.byteLength(payloadType);
  const header = `DSSEv1 ${typeByteLength} ${payloadType} ${payload.length} `;
  return concatBytes(new TextEncoder().encode(header), payload);
}

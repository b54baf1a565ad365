import { VespidError } from '../../engine/errors/index.js';
import { bytesEqual } from '../documents/bytes.js';
import type { AttestationSigner } from './attestation-signer.js';
import { decodeSigstoreBundle } from './sigstore-bundle.js';

/**
 * Has a signer attest a payload, and makes sure that the attestation is about this payload.
 *
 * @returns the bytes of a Sigstore bundle
 * @throws VespidError SIGN_ATTESTATION_INVALID, and those of the signer
 */
export async function attestPayload(
  signer: AttestationSigner,
  payloadType: string,
  payload: Uint8Array,
): Promise<Uint8Array> {
  const bytes = await signer.attest(payloadType, payload);
  const made = decodeSigstoreBundle(bytes, `the attestation by ${signer.label}`);
  if (made.payloadType === payloadType && bytesEqual(made.payload, payload)) return bytes;
  throw new VespidError(
    'SIGN_ATTESTATION_INVALID',
    `expected ${signer.label} to attest what it was given, found another payload in its attestation`,
    { hint: 'this is a fault of the signer; use another one, and report it' },
  );
}

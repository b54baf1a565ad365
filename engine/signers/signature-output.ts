import { ED25519_SIGNATURE_BYTES } from '../../signing/index.js';
import { VespidError } from '../errors/index.js';

/**
 * The signature that a command printed, by its length and nothing else, so that no output has two readings:
 *
 * - exactly 64 bytes are the signature;
 * - otherwise it is text, of which white space is dropped: 128 hexadecimal digits, or 88 characters of base64
 *   (86 without padding).
 *
 * @param origin names the command in messages
 * @throws VespidError SIGNER_OUTPUT_INVALID
 */
export function readSignatureOutput(output: Uint8Array, origin: string): Uint8Array {
  if (output.length === ED25519_SIGNATURE_BYTES) return output;
  const text = Buffer.from(output).toString('latin1').replace(/\s/g, '');
  if (/^[0-9A-Fa-f]{128}$/.test(text)) return Uint8Array.from(Buffer.from(text, 'hex'));
  if (/^[A-Za-z0-9+/]{86}(==)?$/.test(text)) return Uint8Array.from(Buffer.from(text, 'base64'));
  throw new VespidError(
    'SIGNER_OUTPUT_INVALID',
    `${origin}: expected 64 bytes, 128 hexadecimal digits or 88 characters of base64, found ${output.length} bytes`,
    {
      hint: 'let it print the Ed25519 signature alone; a signature in a container (SSHSIG, ASN.1) is not one',
    },
  );
}

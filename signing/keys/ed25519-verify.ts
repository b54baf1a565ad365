import { VespidError } from '../../engine/errors/index.js';
import { ed25519 } from './ed25519-provider.js';

export const ED25519_PUBLIC_KEY_BYTES = 32;
export const ED25519_SIGNATURE_BYTES = 64;

/**
 * Refuses a public key under which a signature proves nothing. RFC 8032 section 5.1.3 decoding already refuses
 * `y >= p` and the negative zero; on top of it the point must lie in the prime-order subgroup and not be its
 * identity. That excludes the eight small-order points (anyone can sign for them) and keys with a small-order
 * part, about which cofactored and cofactorless verifiers disagree. No honest key generation yields either.
 *
 * @param name names the key in messages
 * @throws VespidError KEY_WEAK
 */
export function requireStrongPublicKey(publicKey: Uint8Array, name: string): void {
  const fault = findWeakness(publicKey);
  if (fault === undefined) return;
  throw new VespidError('KEY_WEAK', `${name}: expected a point of the prime-order group, found ${fault}`, {
    hint: 'generate a new key pair with `vespid keygen`; do not trust signatures by this key',
  });
}

function findWeakness(publicKey: Uint8Array): string | undefined {
  const point = decodePoint(publicKey);
  if (point === undefined) return 'an encoding that RFC 8032 does not allow';
  if (point.isSmallOrder()) return 'a point of small order';
  if (!point.isTorsionFree()) return 'a point with a small-order part';
  return undefined;
}

function decodePoint(bytes: Uint8Array): InstanceType<typeof ed25519.Point> | undefined {
  try {
    return ed25519.Point.fromBytes(bytes, false);
  } catch {
    return undefined;
  }
}

/**
 * Verifies an Ed25519 signature (RFC 8032 section 5.1.7) strictly: canonical A, R and S, and a strong key.
 * noble's check multiplies by the cofactor even with `zip215: false`; with A and R both in the prime-order
 * subgroup that is the same as the cofactorless equation, so OpenSSL, Go and Node never give another answer.
 *
 * @param where names the signature in messages
 * @throws VespidError KEY_WEAK, BUNDLE_SIGNATURE_INVALID
 */
export function verifyEd25519(
  signature: Uint8Array,
  message: Uint8Array,
  publicKey: Uint8Array,
  where: string,
): void {
  requireStrongPublicKey(publicKey, where);
  if (signature.length !== ED25519_SIGNATURE_BYTES) {
    throw signatureInvalid(
      where,
      `${ED25519_SIGNATURE_BYTES} bytes of signature, found ${signature.length} bytes`,
    );
  }
  const commitment = decodePoint(signature.subarray(0, ED25519_PUBLIC_KEY_BYTES));
  const inGroup = commitment?.isTorsionFree() === true;
  if (!inGroup || !ed25519.verify(signature, message, publicKey, { zip215: false })) {
    throw signatureInvalid(where, 'a signature by this key over these bytes, found one that does not verify');
  }
}

function signatureInvalid(where: string, expectation: string): VespidError {
  return new VespidError('BUNDLE_SIGNATURE_INVALID', `${where}: expected ${expectation}`, {
    hint: 'the bundle or its signature was altered; fetch it again from its source and do not load this copy',
  });
}

import { createPublicKey, type KeyObject } from 'node:crypto';
import { bytesEqual } from '../documents/bytes.js';
import { sha256Hex } from '../documents/content-digest.js';
import { ED25519_PUBLIC_KEY_BYTES, requireStrongPublicKey } from './ed25519-verify.js';
import { keyAlgorithmUnsupported, keyMalformed } from './key-fault.js';
import { PUBLIC_KEY_LABELS, requirePemBlock } from './pem.js';

/** An Ed25519 public key that passed {@link requireStrongPublicKey}. */
export interface PublicKey {
  /** Lower-case hexadecimal SHA-256 of the SPKI DER. */
  readonly keyId: string;
  /** The 32 bytes of RFC 8032 section 5.1.5. */
  readonly bytes: Uint8Array;
}

/** DER of an Ed25519 SubjectPublicKeyInfo up to the key itself (RFC 8410 section 4). */
const SPKI_PREFIX = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00);

/** The SubjectPublicKeyInfo DER of a raw key. */
export function encodeSpki(publicKey: Uint8Array): Uint8Array {
  const der = new Uint8Array(SPKI_PREFIX.length + publicKey.length);
  der.set(SPKI_PREFIX);
  der.set(publicKey, SPKI_PREFIX.length);
  return der;
}

/** @throws VespidError KEY_WEAK */
export function publicKeyFromBytes(bytes: Uint8Array, name: string): PublicKey {
  requireStrongPublicKey(bytes, name);
  return { keyId: sha256Hex(encodeSpki(bytes)), bytes };
}

/**
 * Reads a SubjectPublicKeyInfo PEM file (RFC 7468 section 13, RFC 8410).
 *
 * @param name names the file in messages
 * @throws VespidError KEY_MALFORMED, KEY_ALGORITHM_UNSUPPORTED, KEY_NOT_PUBLIC, KEY_WEAK
 */
export function parsePublicKey(pem: string, name: string): PublicKey {
  const { der } = requirePemBlock(pem, name, PUBLIC_KEY_LABELS);
  const algorithm = parseSpki(der, name).asymmetricKeyType;
  if (algorithm !== 'ed25519') throw keyAlgorithmUnsupported(name, algorithm ?? 'an unknown algorithm');
  const bytes = der.slice(-ED25519_PUBLIC_KEY_BYTES);
  // One key has one DER form and so one id: no trailing bytes, no alternative lengths, no parameters.
  if (!bytesEqual(der, encodeSpki(bytes))) {
    throw keyMalformed(name, 'the DER of RFC 8410 section 4', 'another encoding or trailing bytes');
  }
  return publicKeyFromBytes(bytes, name);
}

function parseSpki(der: Uint8Array, name: string): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' });
  } catch (cause) {
    throw keyMalformed(name, 'a SubjectPublicKeyInfo', 'bytes that are not one', cause);
  }
}

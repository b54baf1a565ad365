import { createPrivateKey, type KeyObject } from 'node:crypto';
import { ed25519 } from './ed25519-provider.js';
import { keyAlgorithmUnsupported, keyMalformed, requirePemBlock, writePem } from './pem.js';
import { encodeSpki, type PublicKey, publicKeyFromBytes } from './public-key.js';
import type { Signer } from './signer.js';

/** An Ed25519 private key. The seed is a private field, so that printing or serializing the object never shows it. */
export class PrivateKey implements Signer {
  readonly publicKey: PublicKey;
  readonly #seed: Uint8Array;

  constructor(seed: Uint8Array, name: string) {
    this.#seed = Uint8Array.from(seed);
    this.publicKey = publicKeyFromBytes(ed25519.getPublicKey(this.#seed), name);
  }

  get keyId(): string {
    return this.publicKey.keyId;
  }

  sign(message: Uint8Array): Uint8Array {
    return ed25519.sign(message, this.#seed);
  }
}

/** A new key pair as files: PKCS#8 and SPKI PEM, as OpenSSL reads and writes them. */
export interface KeyPair {
  readonly privateKeyPem: string;
  readonly publicKeyPem: string;
  readonly keyId: string;
}

/** DER of an Ed25519 PKCS#8 key up to its seed (RFC 8410 section 7). */
const PKCS8_PREFIX = Uint8Array.of(
  ...[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20],
);

/** Generates an Ed25519 key pair from the operating system's random source. */
export function generateKeyPair(): KeyPair {
  const { secretKey, publicKey } = ed25519.keygen();
  return {
    privateKeyPem: writePem('PRIVATE KEY', Uint8Array.of(...PKCS8_PREFIX, ...secretKey)),
    publicKeyPem: writePem('PUBLIC KEY', encodeSpki(publicKey)),
    keyId: publicKeyFromBytes(publicKey, 'the new key').keyId,
  };
}

/**
 * Reads a PKCS#8 PEM file (RFC 7468 section 10, RFC 8410 section 7), unencrypted.
 *
 * @param name names the file in messages
 * @throws VespidError KEY_MALFORMED, KEY_ENCRYPTED, KEY_ALGORITHM_UNSUPPORTED, KEY_NOT_PRIVATE
 */
export function parsePrivateKey(pem: string, name: string): PrivateKey {
  const key = parsePkcs8(requirePemBlock(pem, name, 'PRIVATE KEY'), name);
  if (key.asymmetricKeyType !== 'ed25519') {
    throw keyAlgorithmUnsupported(name, key.asymmetricKeyType ?? 'an unknown algorithm');
  }
  // RFC 8037 section 2: `d` is the seed in base64url.
  const { d } = key.export({ format: 'jwk' });
  if (typeof d !== 'string') throw keyMalformed(name, 'an Ed25519 seed', 'none');
  return new PrivateKey(Uint8Array.from(Buffer.from(d, 'base64url')), name);
}

function parsePkcs8(der: Uint8Array, name: string): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
  } catch (cause) {
    throw keyMalformed(name, 'a PKCS#8 private key', 'bytes that are not one', cause);
  }
}

import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { VespidError } from '../../engine/errors/index.js';
import { ed25519 } from './ed25519-provider.js';
import { ED25519_PUBLIC_KEY_BYTES } from './ed25519-verify.js';
import { decryptPkcs8, encryptPkcs8 } from './encrypted-pkcs8.js';
import { keyAlgorithmUnsupported, keyMalformed, passphraseWrong } from './key-fault.js';
import { type PemBlock, PRIVATE_KEY_LABELS, requirePemBlock, writePem } from './pem.js';
import { encodeSpki, type PublicKey, publicKeyFromBytes } from './public-key.js';
import type { Signer } from './signer.js';

/**
 * An Ed25519 private key. It stays in OpenSSL's memory, so that printing or serializing the object never shows it.
 * OpenSSL also signs: ten times as quick as noble and to the same bytes, since Ed25519 is deterministic. Only
 * verifying has to be noble's.
 */
export class PrivateKey implements Signer {
  readonly publicKey: PublicKey;
  readonly #key: KeyObject;

  /** @param key an Ed25519 private key */
  constructor(key: KeyObject, name: string) {
    this.#key = key;
    const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
    this.publicKey = publicKeyFromBytes(Uint8Array.from(spki.subarray(-ED25519_PUBLIC_KEY_BYTES)), name);
  }

  /** @param seed the 32 bytes of RFC 8032 section 5.1.5 */
  static fromSeed(seed: Uint8Array, name: string): PrivateKey {
    return new PrivateKey(parsePkcs8(encodePkcs8(seed), name), name);
  }

  get keyId(): string {
    return this.publicKey.keyId;
  }

  sign(message: Uint8Array): Uint8Array {
    return Uint8Array.from(sign(null, message, this.#key));
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

function encodePkcs8(seed: Uint8Array): Uint8Array {
  return Uint8Array.of(...PKCS8_PREFIX, ...seed);
}

/**
 * Generates an Ed25519 key pair from the operating system's random source.
 *
 * @param passphrase encrypts the private key, if given
 */
export function generateKeyPair(passphrase?: string): KeyPair {
  const { secretKey, publicKey } = ed25519.keygen();
  const pkcs8 = encodePkcs8(secretKey);
  return {
    privateKeyPem:
      passphrase === undefined
        ? writePem('PRIVATE KEY', pkcs8)
        : writePem('ENCRYPTED PRIVATE KEY', encryptPkcs8(pkcs8, passphrase)),
    publicKeyPem: writePem('PUBLIC KEY', encodeSpki(publicKey)),
    keyId: publicKeyFromBytes(publicKey, 'the new key').keyId,
  };
}

/**
 * Reads a PKCS#8 PEM file (RFC 7468 sections 10 and 11, RFC 8410 section 7).
 *
 * @param name names the file in messages
 * @param passphrase opens the key if it is encrypted; one that is not needs none
 * @throws VespidError KEY_MALFORMED, KEY_ENCRYPTED, KEY_ENCRYPTION_UNSUPPORTED, KEY_ENCRYPTION_COSTLY,
 *   KEY_PASSPHRASE_WRONG, KEY_ALGORITHM_UNSUPPORTED, KEY_NOT_PRIVATE
 */
export function parsePrivateKey(pem: string, name: string, passphrase?: string): PrivateKey {
  const block = requirePemBlock(pem, name, PRIVATE_KEY_LABELS);
  const key = isEncrypted(block) ? openEncrypted(block.der, name, passphrase) : parsePkcs8(block.der, name);
  if (key.asymmetricKeyType !== 'ed25519') {
    throw keyAlgorithmUnsupported(name, key.asymmetricKeyType ?? 'an unknown algorithm');
  }
  return new PrivateKey(key, name);
}

/**
 * True for a private key that needs a passphrase.
 *
 * @throws VespidError KEY_MALFORMED, KEY_ALGORITHM_UNSUPPORTED, KEY_NOT_PRIVATE
 */
export function isEncryptedPrivateKey(pem: string, name: string): boolean {
  return isEncrypted(requirePemBlock(pem, name, PRIVATE_KEY_LABELS));
}

function isEncrypted({ label }: PemBlock): boolean {
  return label === 'ENCRYPTED PRIVATE KEY';
}

function openEncrypted(der: Uint8Array, name: string, passphrase: string | undefined): KeyObject {
  if (passphrase === undefined) {
    throw new VespidError('KEY_ENCRYPTED', `${name}: this key is under a passphrase, and none was given`, {
      hint: 'give it by --passphrase-file FILE or in VESPID_PASSPHRASE, or sign at a terminal to be asked',
    });
  }
  const pkcs8 = decryptPkcs8(der, passphrase, name);
  try {
    return parsePkcs8(pkcs8, name);
  } catch (cause) {
    // The padding of one in 256 wrong decryptions is right by chance.
    throw passphraseWrong(name, cause);
  }
}

function parsePkcs8(der: Uint8Array, name: string): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
  } catch (cause) {
    throw keyMalformed(name, 'a PKCS#8 private key', 'bytes that are not one', cause);
  }
}

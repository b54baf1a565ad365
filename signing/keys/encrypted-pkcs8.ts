import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { DerFault, type DerReader, wholeSequence } from '../documents/der-reader.js';
import { derObjectIdentifier, derOctetString, derSequence } from '../documents/der-writer.js';
import {
  deriveKey,
  encodeScrypt,
  type KeyDerivation,
  NEW_KEY_SCRYPT,
  readKeyDerivation,
} from './key-derivation.js';
import { keyEncryptionUnsupported, keyMalformed, passphraseWrong } from './key-fault.js';

/** RFC 8018 appendix A.4 */
const PBES2 = '1.2.840.113549.1.5.13';

interface Cipher {
  /** Node's and OpenSSL's name. */
  readonly algorithm: string;
  readonly keyBytes: number;
}

const AES_256_CBC = '2.16.840.1.101.3.4.1.42';

/** Every cipher of PBES2 that `openssl pkcs8 -v2` is used with; RFC 8018 appendix B.2, RFC 3565 section 4.1. */
const CIPHERS: Readonly<Record<string, Cipher>> = {
  '2.16.840.1.101.3.4.1.2': { algorithm: 'aes-128-cbc', keyBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { algorithm: 'aes-192-cbc', keyBytes: 24 },
  [AES_256_CBC]: { algorithm: 'aes-256-cbc', keyBytes: 32 },
  '1.2.840.113549.3.7': { algorithm: 'des-ede3-cbc', keyBytes: 24 },
};

/** An EncryptedPrivateKeyInfo (RFC 5958 section 3) in parts. */
interface Encrypted {
  readonly derivation: KeyDerivation;
  readonly cipher: Cipher;
  readonly iv: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/**
 * Encrypts a PKCS#8 PrivateKeyInfo with scrypt and AES-256-CBC under PBES2, as OpenSSL reads it. Written out here
 * because Node's own export derives the key by 2048 iterations of PBKDF2.
 *
 * @returns the DER of an EncryptedPrivateKeyInfo
 */
export function encryptPkcs8(privateKeyInfo: Uint8Array, passphrase: string): Uint8Array {
  const derivation = { kind: 'scrypt', salt: randomBytes(16), ...NEW_KEY_SCRYPT } as const;
  const key = deriveKey(derivation, passphrase, 32, 'the new key');
  const iv = randomBytes(16);
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  const ciphertext = Buffer.concat([cipher.update(privateKeyInfo), cipher.final()]);
  const encryptionScheme = derSequence(derObjectIdentifier(AES_256_CBC), derOctetString(iv));
  const parameters = derSequence(encodeScrypt(derivation), encryptionScheme);
  return derSequence(derSequence(derObjectIdentifier(PBES2), parameters), derOctetString(ciphertext));
}

/**
 * Decrypts an EncryptedPrivateKeyInfo under PBES2. A wrong passphrase mostly shows in the padding; in one of 256
 * cases it does not, and the caller finds bytes that are no key.
 *
 * @param name names the file in messages
 * @throws VespidError KEY_MALFORMED, KEY_ENCRYPTION_UNSUPPORTED, KEY_ENCRYPTION_COSTLY, KEY_PASSPHRASE_WRONG
 */
export function decryptPkcs8(der: Uint8Array, passphrase: string, name: string): Uint8Array {
  try {
    const { derivation, cipher, iv, ciphertext } = readEncrypted(der, name);
    const key = deriveKey(derivation, passphrase, cipher.keyBytes, name);
    return decrypt(cipher.algorithm, key, iv, ciphertext, name);
  } catch (error) {
    if (!(error instanceof DerFault)) throw error;
    throw keyMalformed(name, 'an encrypted PKCS#8 private key', error.message, error);
  }
}

function decrypt(
  algorithm: string,
  key: Uint8Array,
  iv: Uint8Array,
  ciphertext: Uint8Array,
  name: string,
): Uint8Array {
  try {
    const decipher = createDecipheriv(algorithm, key, iv);
    return Uint8Array.from(Buffer.concat([decipher.update(ciphertext), decipher.final()]));
  } catch (cause) {
    throw passphraseWrong(name, cause);
  }
}

function readEncrypted(der: Uint8Array, name: string): Encrypted {
  const outer = wholeSequence(der);
  const algorithm = outer.sequence();
  const ciphertext = outer.octetString();
  outer.end();
  const scheme = algorithm.objectIdentifier();
  if (scheme !== PBES2) throw keyEncryptionUnsupported(name, `encryption scheme ${scheme}`);
  const parameters = algorithm.sequence();
  algorithm.end();
  const derivation = readKeyDerivation(parameters.sequence(), name);
  const encryptionScheme = parameters.sequence();
  parameters.end();
  return { derivation, ...readCipher(encryptionScheme, name), ciphertext };
}

function readCipher(algorithm: DerReader, name: string): Pick<Encrypted, 'cipher' | 'iv'> {
  const oid = algorithm.objectIdentifier();
  const cipher = CIPHERS[oid];
  if (cipher === undefined) throw keyEncryptionUnsupported(name, `cipher ${oid}`);
  const iv = algorithm.octetString();
  algorithm.end();
  const blockBytes = cipher.algorithm === 'des-ede3-cbc' ? 8 : 16;
  if (iv.length !== blockBytes) throw new DerFault(`an initialization vector of ${iv.length} bytes`);
  return { cipher, iv };
}

import { pbkdf2Sync, scryptSync } from 'node:crypto';
import { VespidError } from '../../engine/errors/index.js';
import { DerFault, type DerReader } from '../documents/der-reader.js';
import { derInteger, derObjectIdentifier, derOctetString, derSequence } from '../documents/der-writer.js';
import { keyEncryptionUnsupported } from './key-fault.js';

/** How an encryption key comes from a passphrase (RFC 8018 appendix A.2, RFC 7914 section 7). */
export type KeyDerivation =
  | {
      readonly kind: 'pbkdf2';
      readonly salt: Uint8Array;
      readonly iterations: number;
      /** Hash of the HMAC, by Node's name. */
      readonly hash: string;
    }
  | {
      readonly kind: 'scrypt';
      readonly salt: Uint8Array;
      readonly cost: number;
      readonly blockSize: number;
      readonly parallelization: number;
    };

/**
 * What new keys get: OWASP's parameters for scrypt (Password Storage Cheat Sheet) in their variant of 16 MiB,
 * because OpenSSL refuses to read a key file that needs more than 32 MiB (SCRYPT_MAX_MEM).
 */
export const NEW_KEY_SCRYPT = { cost: 2 ** 14, blockSize: 8, parallelization: 5 } as const;

/** Ten times what OWASP asks for; seconds of a slow core. A key file must not be able to ask for hours. */
const MAX_PBKDF2_ITERATIONS = 10_000_000;
/** scrypt holds 128 · cost · blockSize bytes; a CI runner has this much to spare. */
const MAX_SCRYPT_MEMORY_BYTES = 256 * 1024 * 1024;
/** Bytes that scrypt mixes in all its lanes: seconds of a slow core. */
const MAX_SCRYPT_MIXED_BYTES = 4 * 1024 ** 3;

const PBKDF2 = '1.2.840.113549.1.5.12';
const SCRYPT = '1.3.6.1.4.1.11591.4.11';

/** RFC 8018 appendix B.1.2: HMAC with these; the first is the default. */
const HASH_BY_PRF: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};

/** Writes the AlgorithmIdentifier of scrypt with its parameters. */
export function encodeScrypt(derivation: Extract<KeyDerivation, { kind: 'scrypt' }>): Uint8Array {
  const { salt, cost, blockSize, parallelization } = derivation;
  const parameters = [derOctetString(salt), ...[cost, blockSize, parallelization].map(derInteger)];
  return derSequence(derObjectIdentifier(SCRYPT), derSequence(...parameters));
}

/**
 * Reads the AlgorithmIdentifier of a key derivation function.
 *
 * @throws VespidError KEY_ENCRYPTION_UNSUPPORTED; DerFault
 */
export function readKeyDerivation(algorithm: DerReader, name: string): KeyDerivation {
  const kind = algorithm.objectIdentifier();
  if (kind !== PBKDF2 && kind !== SCRYPT) throw keyEncryptionUnsupported(name, `key derivation ${kind}`);
  const parameters = algorithm.sequence();
  algorithm.end();
  const salt = parameters.octetString();
  return kind === PBKDF2 ? readPbkdf2(parameters, salt, name) : readScrypt(parameters, salt);
}

function readPbkdf2(parameters: DerReader, salt: Uint8Array, name: string): KeyDerivation {
  const iterations = parameters.integer();
  skipKeyLength(parameters);
  const hash = parameters.isAtEnd ? 'sha1' : readPrf(parameters.sequence(), name);
  parameters.end();
  return { kind: 'pbkdf2', salt, iterations, hash };
}

function readPrf(algorithm: DerReader, name: string): string {
  const prf = algorithm.objectIdentifier();
  if (algorithm.nextIs('null')) algorithm.null();
  algorithm.end();
  const hash = HASH_BY_PRF[prf];
  if (hash === undefined) throw keyEncryptionUnsupported(name, `pseudo-random function ${prf}`);
  return hash;
}

function readScrypt(parameters: DerReader, salt: Uint8Array): KeyDerivation {
  const [cost, blockSize, parallelization] = [
    parameters.integer(),
    parameters.integer(),
    parameters.integer(),
  ];
  skipKeyLength(parameters);
  parameters.end();
  // RFC 7914 section 2: N is a power of two larger than 1.
  if (cost < 2 || !Number.isInteger(Math.log2(cost))) throw new DerFault(`a scrypt cost of ${cost}`);
  return { kind: 'scrypt', salt, cost, blockSize, parallelization };
}

/** Optional in both; the cipher says how long its key is. */
function skipKeyLength(parameters: DerReader): void {
  if (parameters.nextIs('integer')) parameters.integer();
}

/**
 * Derives a key of `keyBytes` bytes.
 *
 * @throws VespidError KEY_ENCRYPTION_COSTLY before any work is done; DerFault
 */
export function deriveKey(
  derivation: KeyDerivation,
  passphrase: string,
  keyBytes: number,
  name: string,
): Uint8Array {
  requireBearable(derivation, name);
  const { salt } = derivation;
  if (derivation.kind === 'pbkdf2') {
    return pbkdf2Sync(passphrase, salt, derivation.iterations, keyBytes, derivation.hash);
  }
  const { cost, blockSize, parallelization } = derivation;
  // Twice: OpenSSL counts some working memory beside the table.
  const maxmem = 2 * MAX_SCRYPT_MEMORY_BYTES;
  return scryptSync(passphrase, salt, keyBytes, { cost, blockSize, parallelization, maxmem });
}

function requireBearable(derivation: KeyDerivation, name: string): void {
  if (derivation.kind === 'pbkdf2') {
    const { iterations } = derivation;
    if (iterations < 1) throw new DerFault('no iterations');
    if (iterations > MAX_PBKDF2_ITERATIONS) {
      throw tooCostly(name, `at most ${MAX_PBKDF2_ITERATIONS} iterations of PBKDF2, found ${iterations}`);
    }
    return;
  }
  const { cost, blockSize, parallelization } = derivation;
  const memoryBytes = 128 * cost * blockSize;
  if (memoryBytes === 0 || parallelization < 1) throw new DerFault('a scrypt parameter of 0');
  if (memoryBytes > MAX_SCRYPT_MEMORY_BYTES) {
    throw tooCostly(name, `scrypt in at most ${MAX_SCRYPT_MEMORY_BYTES} bytes, found ${memoryBytes}`);
  }
  if (memoryBytes * parallelization > MAX_SCRYPT_MIXED_BYTES) {
    throw tooCostly(name, `less work for scrypt, found ${parallelization} lanes of ${memoryBytes} bytes`);
  }
}

function tooCostly(name: string, expectation: string): VespidError {
  return new VespidError('KEY_ENCRYPTION_COSTLY', `${name}: expected ${expectation}`, {
    hint: 'no honest tool writes such a key file; if it is yours: openssl pkcs8 -topk8 -scrypt -in KEY -out NEW',
  });
}

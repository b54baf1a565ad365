import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  derInteger,
  derObjectIdentifier,
  derOctetString,
  derSequence,
} from '../../../signing/documents/der-writer.js';
import { generateKeyPair, isEncryptedPrivateKey, parsePrivateKey } from '../../../signing/index.js';
import { decryptPkcs8, encryptPkcs8 } from '../../../signing/keys/encrypted-pkcs8.js';
import { writePem } from '../../../signing/keys/pem.js';
import { expectRefusal, utf8 } from '../sample-bundle.js';

const PASSPHRASE = 'correct horse ☂';
const pair = generateKeyPair(PASSPHRASE);
const nodePem = (key: KeyObject, cipher: string): string =>
  String(key.export({ format: 'pem', type: 'pkcs8', cipher, passphrase: PASSPHRASE }));

const PBES2 = '1.2.840.113549.1.5.13';
const AES_256_CBC = '2.16.840.1.101.3.4.1.42';
const SHA256 = '1.2.840.113549.2.9';
const salt = derOctetString(new Uint8Array(16));
const cipherOf = (oid: string, ivBytes = 16) =>
  derSequence(derObjectIdentifier(oid), derOctetString(new Uint8Array(ivBytes)));

function scryptOf(cost: number, blockSize: number, parallelization: number): Uint8Array {
  const parameters = [cost, blockSize, parallelization].map(derInteger);
  return derSequence(derObjectIdentifier('1.3.6.1.4.1.11591.4.11'), derSequence(salt, ...parameters));
}

function pbkdf2Of(iterations: number, prf = SHA256): Uint8Array {
  const hash = derSequence(derObjectIdentifier(prf));
  return derSequence(
    derObjectIdentifier('1.2.840.113549.1.5.12'),
    derSequence(salt, derInteger(iterations), hash),
  );
}

/** A key file that says whatever it is told, around bytes that are no key. */
function hostile(derivation: Uint8Array, cipher = cipherOf(AES_256_CBC), scheme = PBES2): Uint8Array {
  const algorithm = derSequence(derObjectIdentifier(scheme), derSequence(derivation, cipher));
  return derSequence(algorithm, derOctetString(new Uint8Array(48)));
}

describe('a key under a passphrase', () => {
  test('opens with it, here and in OpenSSL', () => {
    expect(isEncryptedPrivateKey(pair.privateKeyPem, 'a.key')).toBe(true);
    expect(parsePrivateKey(pair.privateKeyPem, 'a.key', PASSPHRASE).keyId).toBe(pair.keyId);
    const opened = createPrivateKey({ key: pair.privateKeyPem, passphrase: PASSPHRASE });
    expect(opened.asymmetricKeyType).toBe('ed25519');
  });

  test('is another file each time', () => {
    const key = utf8('key');
    expect(encryptPkcs8(key, PASSPHRASE)).not.toEqual(encryptPkcs8(key, PASSPHRASE));
  });

  test('comes back for every key and passphrase', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.string({ unit: 'grapheme' }), (key, passphrase) => {
        expect(decryptPkcs8(encryptPkcs8(key, passphrase), passphrase, 'key')).toEqual(key);
      }),
      { numRuns: 5 },
    );
  });

  test('is not opened without', () => {
    const refusal = expectRefusal('KEY_ENCRYPTED', () => parsePrivateKey(pair.privateKeyPem, 'a.key'));
    expect(refusal.hint).toContain('VESPID_PASSPHRASE');
  });

  test.each(['', 'wrong', `${PASSPHRASE} `])('is not opened by %j', (passphrase) => {
    const refusal = expectRefusal('KEY_PASSPHRASE_WRONG', () =>
      parsePrivateKey(pair.privateKeyPem, 'a.key', passphrase),
    );
    expect(refusal.message).toContain('a.key');
  });

  test('that decrypts to no key is a wrong passphrase, since the padding can be right by chance', () => {
    const noKey = encryptPkcs8(utf8('no key'), PASSPHRASE);
    const pem = writePem('ENCRYPTED PRIVATE KEY', noKey);
    expectRefusal('KEY_PASSPHRASE_WRONG', () => parsePrivateKey(pem, 'a.key', PASSPHRASE));
  });

  test.each(['aes-128-cbc', 'aes-192-cbc', 'aes-256-cbc', 'des-ede3-cbc'])(
    'opens when OpenSSL encrypted it with %s',
    (cipher) => {
      const { privateKey } = generateKeyPairSync('ed25519');
      const key = parsePrivateKey(nodePem(privateKey, cipher), 'node.key', PASSPHRASE);
      const plain = String(privateKey.export({ format: 'pem', type: 'pkcs8' }));
      expect(key.keyId).toBe(parsePrivateKey(plain, 'node.key').keyId);
    },
  );

  test('of another algorithm is said to be one', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = nodePem(privateKey, 'aes-256-cbc');
    expectRefusal('KEY_ALGORITHM_UNSUPPORTED', () => parsePrivateKey(pem, 'ec.key', PASSPHRASE));
  });
});

describe('a hostile key file', () => {
  test.each([
    { name: 'a million million iterations', der: hostile(pbkdf2Of(1e12)), code: 'KEY_ENCRYPTION_COSTLY' },
    { name: 'one iteration too many', der: hostile(pbkdf2Of(10_000_001)), code: 'KEY_ENCRYPTION_COSTLY' },
    { name: 'scrypt in a terabyte', der: hostile(scryptOf(2 ** 30, 8, 1)), code: 'KEY_ENCRYPTION_COSTLY' },
    { name: 'scrypt in wide blocks', der: hostile(scryptOf(2, 2 ** 40, 1)), code: 'KEY_ENCRYPTION_COSTLY' },
    {
      name: 'scrypt in many lanes',
      der: hostile(scryptOf(2 ** 14, 8, 2 ** 20)),
      code: 'KEY_ENCRYPTION_COSTLY',
    },
    { name: 'no iterations', der: hostile(pbkdf2Of(0)), code: 'KEY_MALFORMED' },
    { name: 'a scrypt cost of 0', der: hostile(scryptOf(0, 8, 1)), code: 'KEY_MALFORMED' },
    { name: 'a scrypt cost that is no power of two', der: hostile(scryptOf(3, 8, 1)), code: 'KEY_MALFORMED' },
    { name: 'a scrypt block of 0', der: hostile(scryptOf(2, 0, 1)), code: 'KEY_MALFORMED' },
    { name: 'no scrypt lanes', der: hostile(scryptOf(2, 8, 0)), code: 'KEY_MALFORMED' },
    { name: 'an unknown hash', der: hostile(pbkdf2Of(1, '1.2.3')), code: 'KEY_ENCRYPTION_UNSUPPORTED' },
    {
      name: 'an unknown cipher',
      der: hostile(pbkdf2Of(1), cipherOf('1.2.3')),
      code: 'KEY_ENCRYPTION_UNSUPPORTED',
    },
    {
      name: 'an unknown derivation',
      der: hostile(derSequence(derObjectIdentifier('1.2.3'), derSequence())),
      code: 'KEY_ENCRYPTION_UNSUPPORTED',
    },
    {
      name: 'PKCS#12 encryption',
      der: hostile(pbkdf2Of(1), cipherOf(AES_256_CBC), '1.2.840.113549.1.12.1.3'),
      code: 'KEY_ENCRYPTION_UNSUPPORTED',
    },
    { name: 'a short IV', der: hostile(pbkdf2Of(1), cipherOf(AES_256_CBC, 8)), code: 'KEY_MALFORMED' },
    { name: 'bytes after the key', der: Uint8Array.of(...hostile(pbkdf2Of(1)), 0), code: 'KEY_MALFORMED' },
    { name: 'nothing', der: new Uint8Array(), code: 'KEY_MALFORMED' },
    { name: 'honest parameters around nothing', der: hostile(pbkdf2Of(1)), code: 'KEY_PASSPHRASE_WRONG' },
  ] as const)('with $name is refused before any work', ({ der, code }) => {
    expectRefusal(code, () => decryptPkcs8(der, PASSPHRASE, 'hostile.key'));
  });

  test('flipped or cut anywhere never gives another error than a documented one', () => {
    const der = hostile(pbkdf2Of(1));
    const documented = [
      'KEY_MALFORMED',
      'KEY_ENCRYPTION_UNSUPPORTED',
      'KEY_ENCRYPTION_COSTLY',
      'KEY_PASSPHRASE_WRONG',
    ];
    const mutants = [...der.keys()].flatMap((index) => [
      der.slice(0, index),
      der.with(index, (der[index] ?? 0) ^ 0x01),
      der.with(index, (der[index] ?? 0) ^ 0x80),
    ]);
    for (const mutant of mutants) {
      try {
        decryptPkcs8(mutant, PASSPHRASE, 'hostile.key');
      } catch (error) {
        expect(documented).toContain(Object(error).code);
      }
    }
  });
});

import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { generateKeyPair, parsePrivateKey, parsePublicKey } from '../../../signing/index.js';
import { writePem } from '../../../signing/keys/pem.js';
import { encodeSpki } from '../../../signing/keys/public-key.js';
import { expectRefusal, sha256, utf8 } from '../sample-bundle.js';

const pair = generateKeyPair();
const der = (pem: string): Buffer => Buffer.from(pem.split('\n').slice(1, -2).join(''), 'base64');
const privatePem = (key: KeyObject): string => String(key.export({ format: 'pem', type: 'pkcs8' }));
const publicPem = (key: KeyObject): string => String(key.export({ format: 'pem', type: 'spki' }));
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const x25519 = generateKeyPairSync('x25519');

describe('generateKeyPair', () => {
  test('gives a pair of which each half reads back', () => {
    expect(parsePrivateKey(pair.privateKeyPem, 'a.key').keyId).toBe(pair.keyId);
    expect(parsePublicKey(pair.publicKeyPem, 'a.pub').keyId).toBe(pair.keyId);
    expect(pair.keyId).toBe(sha256(der(pair.publicKeyPem)));
    expect(generateKeyPair().keyId).not.toBe(pair.keyId);
  });

  test("reads keys that Node's OpenSSL wrote", () => {
    const keys = generateKeyPairSync('ed25519');
    const privateKey = parsePrivateKey(privatePem(keys.privateKey), 'node.key');
    expect(parsePublicKey(publicPem(keys.publicKey), 'node.pub').keyId).toBe(privateKey.keyId);
  });

  test('never shows the seed', () => {
    const key = parsePrivateKey(pair.privateKeyPem, 'a.key');
    const seed = der(pair.privateKeyPem).subarray(-32);
    const shown = inspect(key, { depth: 9, showHidden: true }) + JSON.stringify(key);
    expect(shown).not.toContain(seed.toString('hex'));
    expect(Object.keys(key)).toEqual(['publicKey']);
  });
});

const truncated = (pem: string): string => pem.replace(/\n.{10}/, '\n');

describe('parsePrivateKey refuses', () => {
  const encrypted = String(
    ec.privateKey.export({ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: 'x' }),
  );
  test.each([
    { name: 'nothing', pem: '', code: 'KEY_MALFORMED' },
    { name: 'garbage', pem: 'not a key', code: 'KEY_MALFORMED' },
    { name: 'a huge file', pem: pair.privateKeyPem + ' '.repeat(100_000), code: 'KEY_MALFORMED' },
    { name: 'a truncated key', pem: truncated(pair.privateKeyPem), code: 'KEY_MALFORMED' },
    { name: 'two keys', pem: pair.privateKeyPem.repeat(2), code: 'KEY_MALFORMED' },
    { name: 'a certificate label', pem: writePem('CERTIFICATE', utf8('x')), code: 'KEY_MALFORMED' },
    { name: 'a public key', pem: pair.publicKeyPem, code: 'KEY_NOT_PRIVATE' },
    { name: 'an encrypted key', pem: encrypted, code: 'KEY_ENCRYPTED' },
    { name: 'RSA', pem: privatePem(rsa.privateKey), code: 'KEY_ALGORITHM_UNSUPPORTED' },
    {
      name: 'RSA in PKCS#1',
      pem: String(rsa.privateKey.export({ format: 'pem', type: 'pkcs1' })),
      code: 'KEY_ALGORITHM_UNSUPPORTED',
    },
    { name: 'EC', pem: privatePem(ec.privateKey), code: 'KEY_ALGORITHM_UNSUPPORTED' },
    {
      name: 'EC in SEC 1',
      pem: String(ec.privateKey.export({ format: 'pem', type: 'sec1' })),
      code: 'KEY_ALGORITHM_UNSUPPORTED',
    },
    { name: 'X25519', pem: privatePem(x25519.privateKey), code: 'KEY_ALGORITHM_UNSUPPORTED' },
  ] as const)('$name', ({ pem, code }) => {
    expect(expectRefusal(code, () => parsePrivateKey(pem, 'ci.key')).message).toContain('ci.key');
  });
});

describe('parsePublicKey refuses', () => {
  const spki = der(pair.publicKeyPem);
  test.each([
    { name: 'garbage', pem: 'not a key', code: 'KEY_MALFORMED' },
    { name: 'a truncated key', pem: truncated(pair.publicKeyPem), code: 'KEY_MALFORMED' },
    { name: 'two keys', pem: pair.publicKeyPem.repeat(2), code: 'KEY_MALFORMED' },
    {
      name: 'trailing DER bytes',
      pem: writePem('PUBLIC KEY', Uint8Array.of(...spki, 0)),
      code: 'KEY_MALFORMED',
    },
    { name: 'a private key', pem: pair.privateKeyPem, code: 'KEY_NOT_PUBLIC' },
    { name: 'RSA', pem: publicPem(rsa.publicKey), code: 'KEY_ALGORITHM_UNSUPPORTED' },
    { name: 'EC', pem: publicPem(ec.publicKey), code: 'KEY_ALGORITHM_UNSUPPORTED' },
    { name: 'X25519', pem: publicPem(x25519.publicKey), code: 'KEY_ALGORITHM_UNSUPPORTED' },
    {
      name: 'a small-order point',
      pem: writePem('PUBLIC KEY', encodeSpki(Uint8Array.of(1, ...new Uint8Array(31)))),
      code: 'KEY_WEAK',
    },
  ] as const)('$name', ({ pem, code }) => {
    expect(expectRefusal(code, () => parsePublicKey(pem, 'ci.pub')).message).toContain('ci.pub');
  });
});

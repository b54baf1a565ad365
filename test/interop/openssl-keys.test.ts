import { describe, expect, test } from 'vitest';
import { preAuthenticationEncoding } from '../../signing/attestation/dsse.js';
import { generateKeyPair, parsePrivateKey, parsePublicKey } from '../../signing/index.js';
import { expectRefusal, utf8 } from '../signing/sample-bundle.js';
import { OpensslFolder } from './openssl.js';

const PASSPHRASE = 'correct horse';
const pass = (direction: 'in' | 'out') => [`-pass${direction}`, `pass:${PASSPHRASE}`];

describe('openssl reads our keys', () => {
  test('and agrees that both files belong together', () => {
    using folder = new OpensslFolder();
    const { privateKeyPem, publicKeyPem } = generateKeyPair();
    folder.write('a.key', privateKeyPem);
    folder.write('a.pub', publicKeyPem);
    expect(folder.run('pkey', '-in', 'a.key')).toBe(privateKeyPem);
    expect(folder.run('pkey', '-in', 'a.key', '-pubout')).toBe(publicKeyPem);
    expect(folder.run('pkey', '-pubin', '-in', 'a.pub')).toBe(publicKeyPem);
  });

  test('under their passphrase, and not under another', () => {
    using folder = new OpensslFolder();
    const { privateKeyPem, publicKeyPem } = generateKeyPair(PASSPHRASE);
    folder.write('a.key', privateKeyPem);
    expect(folder.run('pkey', '-in', 'a.key', '-pubout', ...pass('in'))).toBe(publicKeyPem);
    expect(folder.try('pkey', '-in', 'a.key', '-passin', 'pass:wrong').status).not.toBe(0);
    const parameters = folder.run('asn1parse', '-in', 'a.key');
    expect(parameters).toMatch(/scrypt/);
    expect(parameters).toMatch(/aes-256-cbc/);
  });

  test('and verifies what they signed, as DSSE encodes it', () => {
    using folder = new OpensslFolder();
    const { privateKeyPem, publicKeyPem } = generateKeyPair();
    const message = preAuthenticationEncoding('application/vnd.in-toto+json', utf8('{}'));
    folder.write('a.pub', publicKeyPem);
    folder.write('signature', parsePrivateKey(privateKeyPem, 'a.key').sign(message));
    folder.write('message', message);
    folder.write('other', Uint8Array.of(...message, 0));
    const verify = [
      'pkeyutl',
      '-verify',
      '-pubin',
      '-inkey',
      'a.pub',
      '-rawin',
      '-sigfile',
      'signature',
      '-in',
    ];
    folder.run(...verify, 'message');
    expect(folder.try(...verify, 'other').status).not.toBe(0);
  });
});

describe('we read the keys of openssl', () => {
  test.each([
    {
      name: 'genpkey, encrypted',
      args: ['genpkey', '-algorithm', 'ed25519', '-aes-256-cbc', '-pass', `pass:${PASSPHRASE}`],
    },
    { name: 'pkcs8 with its defaults', args: ['pkcs8', '-topk8', '-in', 'plain.key', ...pass('out')] },
    { name: 'pkcs8 with scrypt', args: ['pkcs8', '-topk8', '-scrypt', '-in', 'plain.key', ...pass('out')] },
    {
      name: 'pkcs8 with 600,000 iterations of HMAC-SHA512',
      args: [
        ...['pkcs8', '-topk8', '-v2', 'aes-128-cbc', '-v2prf', 'hmacWithSHA512', '-iter', '600000'],
        ...['-in', 'plain.key', ...pass('out')],
      ],
    },
    { name: 'pkcs8 with 3DES', args: ['pkcs8', '-topk8', '-v2', 'des3', '-in', 'plain.key', ...pass('out')] },
    {
      name: 'pkcs8 with HMAC-SHA1',
      args: [
        'pkcs8',
        '-topk8',
        '-v2',
        'aes256',
        '-v2prf',
        'hmacWithSHA1',
        '-in',
        'plain.key',
        ...pass('out'),
      ],
    },
  ])('of $name', ({ args }) => {
    using folder = new OpensslFolder();
    folder.run('genpkey', '-algorithm', 'ed25519', '-out', 'plain.key');
    const pem = folder.run(...args);
    expect(pem).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    folder.write('it.key', pem);
    const publicKey = parsePublicKey(folder.run('pkey', '-in', 'it.key', '-pubout', ...pass('in')), 'it.pub');
    expect(parsePrivateKey(pem, 'it.key', PASSPHRASE).keyId).toBe(publicKey.keyId);
    expectRefusal('KEY_PASSPHRASE_WRONG', () => parsePrivateKey(pem, 'it.key', 'wrong'));
  });

  test('and refuse the encryption of PKCS#12, by name', () => {
    using folder = new OpensslFolder();
    folder.run('genpkey', '-algorithm', 'ed25519', '-out', 'plain.key');
    const pem = folder.run('pkcs8', '-topk8', '-v1', 'PBE-SHA1-3DES', '-in', 'plain.key', ...pass('out'));
    expectRefusal('KEY_ENCRYPTION_UNSUPPORTED', () => parsePrivateKey(pem, 'old.key', PASSPHRASE));
  });

  test('and give a key the id that openssl computes', () => {
    using folder = new OpensslFolder();
    folder.run('genpkey', '-algorithm', 'ed25519', '-out', 'a.key');
    folder.run('pkey', '-in', 'a.key', '-pubout', '-outform', 'DER', '-out', 'a.der');
    const digest = folder.run('dgst', '-sha256', '-r', 'a.der').slice(0, 64);
    expect(parsePublicKey(folder.run('pkey', '-in', 'a.key', '-pubout'), 'a.pub').keyId).toBe(digest);
  });
});

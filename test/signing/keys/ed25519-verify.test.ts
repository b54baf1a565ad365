import { createPublicKey, verify as nodeVerify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ed25519 } from '../../../signing/keys/ed25519-provider.js';
import { requireStrongPublicKey, verifyEd25519 } from '../../../signing/keys/ed25519-verify.js';
import { encodeSpki } from '../../../signing/keys/public-key.js';
import { expectRefusal, sampleKey, utf8 } from '../sample-bundle.js';

const { hexToBytes, bytesToHex } = ed25519.etc;

/** RFC 8032 section 7.1: TEST 1, TEST 2, TEST 3 and TEST SHA(abc). */
const VECTORS = [
  {
    name: 'TEST 1',
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    name: 'TEST 2',
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    name: 'TEST 3',
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
  {
    name: 'TEST SHA(abc)',
    seed: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    publicKey: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    message:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    signature:
      'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  },
];

describe.each(VECTORS)('RFC 8032 section 7.1, $name', ({ seed, publicKey, message, signature }) => {
  test('signs to the same bytes and verifies', () => {
    expect(bytesToHex(ed25519.sign(hexToBytes(message), hexToBytes(seed)))).toBe(signature);
    verifyEd25519(hexToBytes(signature), hexToBytes(message), hexToBytes(publicKey), 'vector');
  });

  test('is refused with one byte of the message more', () => {
    expectRefusal('BUNDLE_SIGNATURE_INVALID', () =>
      verifyEd25519(hexToBytes(signature), hexToBytes(`${message}00`), hexToBytes(publicKey), 'vector'),
    );
  });
});

const zeros = (count: number): string => '00'.repeat(count);
const ones = (count: number): string => 'ff'.repeat(count);

/** Every encoding of the eight points whose order divides the cofactor, canonical or not. */
const SMALL_ORDER = [
  { name: 'identity', hex: `01${zeros(31)}` },
  { name: 'order 2', hex: `ec${ones(30)}7f` },
  { name: 'order 4', hex: zeros(32) },
  { name: 'order 4, negative', hex: `${zeros(31)}80` },
  { name: 'order 8 a', hex: '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05' },
  { name: 'order 8 b', hex: '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85' },
  { name: 'order 8 c', hex: 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a' },
  { name: 'order 8 d', hex: 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa' },
  { name: 'identity with a negative zero', hex: `01${zeros(30)}80` },
  { name: 'order 2 with a negative zero', hex: `ec${ones(31)}` },
  { name: 'y = p', hex: `ed${ones(30)}7f` },
  { name: 'y = p, negative', hex: `ed${ones(31)}` },
  { name: 'y = p + 1', hex: `ee${ones(30)}7f` },
  { name: 'y = p + 1, negative', hex: `ee${ones(31)}` },
];

/** With A of small order, R the identity and S zero, the cofactored equation holds for every message. */
const UNIVERSAL_FORGERY = hexToBytes(`01${zeros(31)}${zeros(32)}`);

describe('weak public keys', () => {
  test.each(SMALL_ORDER)('refuses $name', ({ hex }) => {
    const key = hexToBytes(hex);
    expectRefusal('KEY_WEAK', () => requireStrongPublicKey(key, 'key'));
    expectRefusal('KEY_WEAK', () => verifyEd25519(UNIVERSAL_FORGERY, utf8('any message'), key, 'key'));
  });

  test.each(SMALL_ORDER)('noble: zip215 accepts a forgery under $name, strict does not', ({ hex }) => {
    const key = hexToBytes(hex);
    expect(ed25519.verify(UNIVERSAL_FORGERY, utf8('any message'), key)).toBe(true);
    expect(ed25519.verify(UNIVERSAL_FORGERY, utf8('any message'), key, { zip215: false })).toBe(false);
  });

  test("Node's own verification accepts the forgery under the identity, which is why it is not used", () => {
    const key = hexToBytes(SMALL_ORDER[0]?.hex ?? '');
    const spki = createPublicKey({ key: Buffer.from(encodeSpki(key)), format: 'der', type: 'spki' });
    expect(nodeVerify(null, utf8('any message'), spki, UNIVERSAL_FORGERY)).toBe(true);
  });

  test('refuses a key with a small-order part, which noble accepts', () => {
    const honest = ed25519.Point.fromBytes(sampleKey(9).publicKey.bytes);
    const mixed = honest.add(ed25519.Point.fromHex(SMALL_ORDER[4]?.hex ?? '')).toBytes();
    expect(ed25519.Point.fromBytes(mixed).isSmallOrder()).toBe(false);
    expectRefusal('KEY_WEAK', () => requireStrongPublicKey(mixed, 'key'));
  });

  test('refuses bytes that are no point, and the wrong number of bytes', () => {
    expectRefusal('KEY_WEAK', () => requireStrongPublicKey(hexToBytes(`02${zeros(31)}`), 'key'));
    expectRefusal('KEY_WEAK', () => requireStrongPublicKey(hexToBytes(zeros(31)), 'key'));
  });
});

describe('malleable signatures', () => {
  const key = sampleKey(9);
  const message = utf8('message');
  const signature = key.sign(message);

  test('refuses S + L', () => {
    const order = ed25519.Point.CURVE().n;
    const scalar = BigInt(`0x${bytesToHex(signature.slice(32).reverse())}`) + order;
    const shifted = hexToBytes(scalar.toString(16).padStart(64, '0')).reverse();
    expectRefusal('BUNDLE_SIGNATURE_INVALID', () =>
      verifyEd25519(Uint8Array.of(...signature.slice(0, 32), ...shifted), message, key.publicKey.bytes, 's'),
    );
  });

  test('refuses R with a small-order part, as OpenSSL does, although noble accepts it', () => {
    const crafted = signWithTorsion(9, message, SMALL_ORDER[4]?.hex ?? '');
    const spki = Buffer.from(encodeSpki(key.publicKey.bytes));
    const nodeKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
    expect(ed25519.verify(crafted, message, key.publicKey.bytes, { zip215: false })).toBe(true);
    expect(nodeVerify(null, message, nodeKey, crafted)).toBe(false);
    expectRefusal('BUNDLE_SIGNATURE_INVALID', () =>
      verifyEd25519(crafted, message, key.publicKey.bytes, 's'),
    );
  });

  test.each([0, 63, 65])('refuses %i bytes', (length) => {
    const resized = new Uint8Array(length);
    resized.set(signature.subarray(0, length));
    expectRefusal('BUNDLE_SIGNATURE_INVALID', () =>
      verifyEd25519(resized, message, key.publicKey.bytes, 's'),
    );
  });
});

/** RFC 8032 section 5.1.6 with R moved by a small-order point before the challenge is computed. */
function signWithTorsion(seedByte: number, message: Uint8Array, torsion: string): Uint8Array {
  const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(new Uint8Array(32).fill(seedByte));
  const order = ed25519.Point.CURVE().n;
  const nonce = 12_345n;
  const commitment = ed25519.Point.BASE.multiply(nonce).add(ed25519.Point.fromHex(torsion)).toBytes();
  const digest = ed25519.hash(Uint8Array.of(...commitment, ...pointBytes, ...message));
  const challenge = BigInt(`0x${bytesToHex(digest.reverse())}`) % order;
  const response = (nonce + challenge * scalar) % order;
  return Uint8Array.of(...commitment, ...hexToBytes(response.toString(16).padStart(64, '0')).reverse());
}

import { createPublicKey, verify as nodeVerify } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ed25519 } from '../../../signing/keys/ed25519-provider.js';
import { verifyEd25519 } from '../../../signing/keys/ed25519-verify.js';
import { PrivateKey } from '../../../signing/keys/key-pair.js';
import { encodeSpki } from '../../../signing/keys/public-key.js';
import { expectRefusal, sampleKey, utf8 } from '../sample-bundle.js';
import { SPECCHECK_VECTORS } from './speccheck-vectors.js';

const { hexToBytes } = ed25519.etc;

/** Whether OpenSSL takes a signature, by way of Node. */
function nodeAccepts(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  const spki = createPublicKey({ key: Buffer.from(encodeSpki(publicKey)), format: 'der', type: 'spki' });
  return nodeVerify(null, message, spki, signature);
}

describe('Taming the Many EdDSAs', () => {
  test.each(SPECCHECK_VECTORS)('refuses $name: $why', (vector) => {
    const [signature, message, publicKey] = [
      hexToBytes(vector.signature),
      hexToBytes(vector.message),
      hexToBytes(vector.publicKey),
    ];
    expectRefusal(vector.refusal, () => verifyEd25519(signature, message, publicKey, 'vector'));
    expect(nodeAccepts(signature, message, publicKey)).toBe(vector.nodeAccepts);
  });

  test('tells our verification from that of Node', () => {
    expect(SPECCHECK_VECTORS.filter((vector) => vector.nodeAccepts).length).toBeGreaterThan(0);
  });
});

const KEY = sampleKey(9);
const MESSAGE = utf8('message');
const SIGNATURE = KEY.sign(MESSAGE);
const [R, S] = [SIGNATURE.subarray(0, 32), SIGNATURE.subarray(32)];
const L = ed25519.Point.CURVE().n;
const P = ed25519.Point.CURVE().p;

/** 32 bytes, little-endian. */
function littleEndian(value: bigint): Uint8Array {
  return hexToBytes(value.toString(16).padStart(64, '0')).reverse();
}

function integer(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

const join = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

/** The kinds of faults that Project Wycheproof (C2SP/wycheproof, ed25519_test.json) looks for, on a key of ours. */
const FAULTS: readonly { readonly name: string; readonly signature: Uint8Array }[] = [
  { name: 'S + L', signature: join(R, littleEndian(integer(S) + L)) },
  { name: 'S + 2L', signature: join(R, littleEndian(integer(S) + 2n * L)) },
  { name: 'S + 8L', signature: join(R, littleEndian(integer(S) + 8n * L)) },
  { name: 'S with its top bit set', signature: join(R, littleEndian(integer(S) | (1n << 255n))) },
  { name: '-S', signature: join(R, littleEndian(L - integer(S))) },
  { name: 'R with its sign flipped', signature: join(littleEndian(integer(R) ^ (1n << 255n)), S) },
  { name: 'no signature', signature: new Uint8Array() },
  { name: 'R alone', signature: R },
  { name: 'S alone', signature: S },
  { name: 'S and R exchanged', signature: join(S, R) },
  { name: 'the last byte cut off', signature: SIGNATURE.subarray(0, 63) },
  { name: 'the first byte cut off', signature: SIGNATURE.subarray(1) },
  { name: 'a zero byte appended', signature: join(SIGNATURE, Uint8Array.of(0)) },
  { name: 'a zero byte before it', signature: join(Uint8Array.of(0), SIGNATURE) },
  { name: 'itself twice', signature: join(SIGNATURE, SIGNATURE) },
  { name: 'a DER octet string around it', signature: join(Uint8Array.of(4, 64), SIGNATURE) },
  { name: 'its hexadecimal', signature: utf8(Buffer.from(SIGNATURE).toString('hex')) },
];

const SPECIAL = [
  { name: '0', value: 0n },
  { name: '1', value: 1n },
  { name: 'L - 1', value: L - 1n },
  { name: 'L', value: L },
  { name: 'p - 1', value: P - 1n },
  { name: 'p', value: P },
  { name: 'p + 1', value: P + 1n },
  { name: '2^255 - 1', value: 2n ** 255n - 1n },
  { name: '2^256 - 1', value: 2n ** 256n - 1n },
];

describe('faults after Wycheproof', () => {
  test('begin with a signature that verifies', () => {
    verifyEd25519(SIGNATURE, MESSAGE, KEY.publicKey.bytes, 'signature');
    expect(nodeAccepts(SIGNATURE, MESSAGE, KEY.publicKey.bytes)).toBe(true);
  });

  test.each(FAULTS)('refuses $name', ({ signature }) => {
    expectRefusal('BUNDLE_SIGNATURE_INVALID', () =>
      verifyEd25519(signature, MESSAGE, KEY.publicKey.bytes, 'signature'),
    );
  });

  test.each(SPECIAL)(
    'refuses R = $name with every special S, and S = $name with the honest R',
    ({ value }) => {
      const signatures = SPECIAL.map((special) => join(littleEndian(value), littleEndian(special.value)));
      for (const signature of [...signatures, join(R, littleEndian(value))]) {
        expectRefusal('BUNDLE_SIGNATURE_INVALID', () =>
          verifyEd25519(signature, MESSAGE, KEY.publicKey.bytes, 'signature'),
        );
      }
    },
  );

  test('refuses R that is not canonical, although S was made for it', () => {
    // y = p + 1 is the identity once reduced: with R = 0, S = kA verifies where R is decoded leniently.
    const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(new Uint8Array(32).fill(9));
    const lenient = littleEndian(P + 1n);
    const challenge = integer(ed25519.hash(join(lenient, pointBytes, MESSAGE))) % L;
    const signature = join(lenient, littleEndian((challenge * scalar) % L));
    expect(ed25519.verify(signature, MESSAGE, pointBytes)).toBe(true);
    expectRefusal('BUNDLE_SIGNATURE_INVALID', () =>
      verifyEd25519(signature, MESSAGE, pointBytes, 'signature'),
    );
  });
});

describe('honest keys', () => {
  const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });

  test('sign in OpenSSL to the bytes of noble, and verify in both', () => {
    fc.assert(
      fc.property(seeds, fc.uint8Array({ maxLength: 300 }), (seed, message) => {
        const key = PrivateKey.fromSeed(seed, 'key');
        const signature = key.sign(message);
        expect(signature).toEqual(ed25519.sign(message, seed));
        expect(key.publicKey.bytes).toEqual(ed25519.getPublicKey(seed));
        verifyEd25519(signature, message, key.publicKey.bytes, 'signature');
        expect(nodeAccepts(signature, message, key.publicKey.bytes)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test('never verify what one flipped bit makes of a signature', () => {
    fc.assert(
      fc.property(seeds, fc.nat({ max: 511 }), (seed, bit) => {
        const key = PrivateKey.fromSeed(seed, 'key');
        const signature = key.sign(MESSAGE);
        const byte = bit >> 3;
        const flipped = signature.with(byte, (signature[byte] ?? 0) ^ (1 << (bit & 7)));
        expectRefusal('BUNDLE_SIGNATURE_INVALID', () =>
          verifyEd25519(flipped, MESSAGE, key.publicKey.bytes, 'signature'),
        );
      }),
      { numRuns: 40 },
    );
  });
});

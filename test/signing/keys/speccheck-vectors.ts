/** A signature at an edge of Ed25519, and what becomes of it. */
export interface EdgeCase {
  readonly name: string;
  /** Hexadecimal, as the next two. */
  readonly publicKey: string;
  readonly message: string;
  readonly signature: string;
  /** How we refuse it. */
  readonly refusal: 'KEY_WEAK' | 'BUNDLE_SIGNATURE_INVALID';
  /** What OpenSSL by way of node:crypto says. */
  readonly nodeAccepts: boolean;
  /** Why it must be refused. */
  readonly why: string;
}

const LARGE_ORDER = '442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623';
const SMALL_ORDER = 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa';
const MIXED_ORDER = 'cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d';
const MIXED_ORDER_2 = 'f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43';
const NEGATIVE_ZERO = `ec${'ff'.repeat(31)}`;

const SMALL_KEY = 'a key of small order has signatures that anyone can make';
const MIXED_KEY = 'verifiers with and without the cofactor disagree about a key with a small-order part';

/**
 * The twelve vectors of Chalkias, Garillot, Nikolaenko, "Taming the Many EdDSAs" (SSR 2020), table 5, which tell
 * implementations apart. We refuse all of them: none is a signature that an honest signer makes.
 */
export const SPECCHECK_VECTORS: readonly EdgeCase[] = [
  {
    name: '0: S = 0, A and R of small order',
    publicKey: SMALL_ORDER,
    message: '8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6',
    signature: `c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a${'00'.repeat(32)}`,
    refusal: 'KEY_WEAK',
    nodeAccepts: true,
    why: SMALL_KEY,
  },
  {
    name: '1: A of small order, R of mixed order',
    publicKey: SMALL_ORDER,
    message: '9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79',
    signature:
      'f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04',
    refusal: 'KEY_WEAK',
    nodeAccepts: true,
    why: SMALL_KEY,
  },
  {
    name: '2: A of mixed order, R of small order',
    publicKey: MIXED_ORDER_2,
    message: 'aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab',
    signature:
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e',
    refusal: 'KEY_WEAK',
    nodeAccepts: true,
    why: MIXED_KEY,
  },
  {
    name: '3: A and R of mixed order',
    publicKey: MIXED_ORDER,
    message: '9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79',
    signature:
      '9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009',
    refusal: 'KEY_WEAK',
    nodeAccepts: true,
    why: MIXED_KEY,
  },
  {
    name: '4: A and R of mixed order, only with the cofactor',
    publicKey: MIXED_ORDER,
    message: 'e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c',
    signature:
      '160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed5125ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09',
    refusal: 'KEY_WEAK',
    nodeAccepts: false,
    why: MIXED_KEY,
  },
  {
    name: '5: A of mixed order, R of large order, only with the cofactor not reduced',
    publicKey: MIXED_ORDER,
    message: 'e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c',
    signature:
      '21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405',
    refusal: 'KEY_WEAK',
    nodeAccepts: false,
    why: MIXED_KEY,
  },
  {
    name: '6: S above the order of the group',
    publicKey: LARGE_ORDER,
    message: '85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40',
    signature:
      'e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514',
    refusal: 'BUNDLE_SIGNATURE_INVALID',
    nodeAccepts: false,
    why: 'S and S + L would be two signatures of one message (RFC 8032 section 5.1.7, step 1)',
  },
  {
    name: '7: S far above the order of the group',
    publicKey: LARGE_ORDER,
    message: '85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40',
    signature:
      '8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa19427e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22',
    refusal: 'BUNDLE_SIGNATURE_INVALID',
    nodeAccepts: false,
    why: 'the top bits of S must be looked at, too (RFC 8032 section 5.1.7, step 1)',
  },
  {
    name: '8: R a negative zero, hashed in its canonical form',
    publicKey: MIXED_ORDER_2,
    message: '9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41',
    signature: `ec${'ff'.repeat(31)}03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f`,
    refusal: 'KEY_WEAK',
    nodeAccepts: false,
    why: MIXED_KEY,
  },
  {
    name: '9: R a negative zero, hashed as it came',
    publicKey: MIXED_ORDER_2,
    message: '9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41',
    signature: `ec${'ff'.repeat(31)}ca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908`,
    refusal: 'KEY_WEAK',
    nodeAccepts: false,
    why: MIXED_KEY,
  },
  {
    name: '10: A a negative zero, hashed in its canonical form',
    publicKey: NEGATIVE_ZERO,
    message: 'e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b',
    signature:
      'a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04',
    refusal: 'KEY_WEAK',
    nodeAccepts: false,
    why: 'one point would have two encodings, and so one key two ids (RFC 8032 section 5.1.3, step 4)',
  },
  {
    name: '11: A a negative zero, hashed as it came',
    publicKey: NEGATIVE_ZERO,
    message: '39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f',
    signature:
      'a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dca5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04',
    refusal: 'KEY_WEAK',
    nodeAccepts: true,
    why: 'one point would have two encodings, and so one key two ids (RFC 8032 section 5.1.3, step 4)',
  },
];

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../../signing/documents/canonical-json.js';
import { writePem } from '../../../signing/keys/pem.js';
import { encodeSpki } from '../../../signing/keys/public-key.js';
import { decodeNodeMemory, encodeNodeMemory, type NodeMemory } from '../../../signing/trust/node-memory.js';
import { CI_KEY, expectRefusal, RELEASE_KEY, utf8 } from '../sample-bundle.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const MEMORY: NodeMemory = {
  trustPolicy: {
    version: 7,
    digest: DIGEST,
    rootKeys: { threshold: 2, keys: [CI_KEY.publicKey, RELEASE_KEY.publicKey] },
  },
  bundles: new Map([['starter', { version: '1.4.0', digest: DIGEST }]]),
};

const decode = (bytes: Uint8Array): NodeMemory => decodeNodeMemory(bytes, 'state.json');
const encodeDocument = (document: unknown): Uint8Array =>
  Buffer.concat([canonicalJson(document), utf8('\n')]);

describe('the form of a memory', () => {
  test('comes back as it was written', () => {
    expect(decode(encodeNodeMemory(MEMORY))).toEqual(MEMORY);
  });

  test('is not written when it could not be read again', () => {
    const version = `1.0.0-${'a'.repeat(250)}`;
    const name = (index: number) => String(index).padStart(128, 'n');
    const bundles = Array.from({ length: 10_000 }, (_, i) => [name(i), { version, digest: DIGEST }] as const);
    expectRefusal('INTERNAL', () => encodeNodeMemory({ bundles: new Map(bundles) }));
  });

  test('comes back for any bundles', () => {
    const number = fc.nat().map(String);
    const version = fc.tuple(number, number, number).map((parts) => parts.join('.'));
    const name = fc.oneof(
      fc.constantFrom('__proto__', 'constructor'),
      fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}$/),
    );
    const bundle = fc.record({ version, digest: fc.constant(DIGEST) }, { noNullPrototype: true });
    const entries = fc.uniqueArray(fc.tuple(name, bundle), { selector: ([key]) => key });
    fc.assert(
      fc.property(entries, (bundles) => {
        const memory: NodeMemory = { bundles: new Map(bundles) };
        const decoded = decode(encodeNodeMemory(memory));
        // Map keys have no order here: the canonical form sorts names.
        expect(Object.fromEntries(decoded.bundles)).toEqual(Object.fromEntries(memory.bundles));
      }),
    );
  });

  test('is refused when any byte of it is missing from the end', () => {
    const bytes = encodeNodeMemory(MEMORY);
    for (let length = 0; length < bytes.length; length++) {
      expectRefusal('TRUST_STATE_CORRUPT', () => decode(bytes.subarray(0, length)));
    }
  });

  const rootKeys = {
    threshold: 1,
    keys: [writePem('PUBLIC KEY', encodeSpki(CI_KEY.publicKey.bytes))],
  };
  const valid = { apiVersion: 'vespid.dev/v1', kind: 'NodeMemory', bundles: {} };
  const trustPolicy = { version: 1, digest: DIGEST, rootKeys };

  test.each<[what: string, bytes: Uint8Array]>([
    ['nothing', utf8('')],
    ['a line feed', utf8('\n')],
    ['zeros, as a file system leaves them after a power cut', new Uint8Array(64)],
    ['other JSON', utf8('{}\n')],
    ['a second document', Buffer.concat([encodeNodeMemory(MEMORY), encodeNodeMemory(MEMORY)])],
    ['white space', utf8(`${JSON.stringify(valid, null, 2)}\n`)],
    ['a form of the future', encodeDocument({ ...valid, apiVersion: 'vespid.dev/v2' })],
    ['an unknown member', encodeDocument({ ...valid, more: 1 })],
    ['a bundle twice', utf8('{"apiVersion":"vespid.dev/v1","bundles":{"a":1,"a":2},"kind":"NodeMemory"}\n')],
    ['no version', encodeDocument({ ...valid, bundles: { a: { digest: DIGEST } } })],
    [
      'a version that is none',
      encodeDocument({ ...valid, bundles: { a: { version: '1.0', digest: DIGEST } } }),
    ],
    [
      'a version with a leading zero',
      encodeDocument({ ...valid, bundles: { a: { version: '1.0.01', digest: DIGEST } } }),
    ],
    [
      'a digest that is none',
      encodeDocument({ ...valid, bundles: { a: { version: '1.0.0', digest: 'x' } } }),
    ],
    ['a policy of version 0', encodeDocument({ ...valid, trustPolicy: { ...trustPolicy, version: 0 } })],
    [
      'a root key twice',
      encodeDocument({
        ...valid,
        trustPolicy: {
          ...trustPolicy,
          rootKeys: { threshold: 2, keys: [...rootKeys.keys, ...rootKeys.keys] },
        },
      }),
    ],
    [
      'a threshold above the root keys',
      encodeDocument({ ...valid, trustPolicy: { ...trustPolicy, rootKeys: { ...rootKeys, threshold: 2 } } }),
    ],
    [
      'a root key that is none',
      encodeDocument({ ...valid, trustPolicy: { ...trustPolicy, rootKeys: { threshold: 1, keys: ['x'] } } }),
    ],
  ])('is refused: %s', (_what, bytes) => {
    expectRefusal('TRUST_STATE_CORRUPT', () => decode(bytes));
  });
});

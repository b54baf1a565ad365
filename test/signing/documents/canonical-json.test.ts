import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { preAuthenticationEncoding } from '../../../signing/attestation/dsse.js';
import { canonicalJson, type JsonValue } from '../../../signing/documents/canonical-json.js';
import { MAX_JSON_BYTES, MAX_JSON_DEPTH, parseStrictJson } from '../../../signing/documents/strict-json.js';
import { expectRefusal, utf8 } from '../sample-bundle.js';

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

const { value: jsonValue } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger().map((integer) => integer + 0),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(fc.string({ unit: 'binary' }), tie('value'), { maxKeys: 5, noNullPrototype: true }),
  ),
}));

describe('canonicalJson', () => {
  test.each([
    { value: { b: 1, a: [true, null] }, json: '{"a":[true,null],"b":1}' },
    // RFC 8785 section 3.2.3: order by UTF-16 code units, so U+1F600 comes before U+FB33.
    { value: { '\ufb33': 1, '\u{1f600}': 2, '\r': 3 }, json: '{"\\r":3,"\u{1f600}":2,"\ufb33":1}' },
    // RFC 8785 section 3.2.2.2
    { value: '\u20ac$\u000f\nA\'B"\\"/', json: '"\u20ac$\\u000f\\nA\'B\\"\\\\\\"/"' },
    { value: -0, json: '0' },
  ])('$json', ({ value, json }) => {
    expect(text(canonicalJson(value))).toBe(json);
  });

  test.each([[undefined], [1.5], [2 ** 53], [Number.NaN], ['\ud800'], [{ a: undefined }], [1n]])(
    'has no form for %s',
    (value) => {
      expectRefusal('INTERNAL', () => canonicalJson(value));
    },
  );

  test('round trips through the strict parser', () => {
    fc.assert(
      fc.property(jsonValue, (value) => {
        const bytes = canonicalJson(value);
        expect(canonicalJson(parseStrictJson(bytes, 'test'))).toEqual(bytes);
        expect(JSON.parse(text(bytes))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe('parseStrictJson', () => {
  test('agrees with JSON.parse on what it accepts', () => {
    fc.assert(
      fc.property(jsonValue, fc.constantFrom(0, 1, 4), (value, indent) => {
        const json = JSON.stringify(value, null, indent);
        expect(JSON.parse(JSON.stringify(parseStrictJson(utf8(json), 'test')))).toEqual(JSON.parse(json));
      }),
    );
  });

  test('never accepts what JSON.parse refuses', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:\\u0123eE+-. \ntruefalsn') }), (json) => {
        let accepted: JsonValue;
        try {
          accepted = parseStrictJson(utf8(json), 'test');
        } catch {
          return;
        }
        expect(JSON.parse(JSON.stringify(accepted))).toEqual(JSON.parse(json));
      }),
      { numRuns: 2000 },
    );
  });

  test.each<{ name: string; json: string | Uint8Array; code: ErrorCode }>([
    { name: 'nothing', json: '', code: 'BUNDLE_JSON_MALFORMED' },
    { name: 'trailing bytes', json: '{} {}', code: 'BUNDLE_JSON_MALFORMED' },
    { name: 'a trailing zero byte', json: '{}\0', code: 'BUNDLE_JSON_MALFORMED' },
    { name: 'a trailing comma', json: '[1,]', code: 'BUNDLE_JSON_MALFORMED' },
    { name: 'a byte order mark', json: '\ufeff{}', code: 'BUNDLE_JSON_MALFORMED' },
    {
      name: 'bytes that are not UTF-8',
      json: Uint8Array.of(0x22, 0xff, 0x22),
      code: 'BUNDLE_JSON_MALFORMED',
    },
    {
      name: 'an overlong encoding',
      json: Uint8Array.of(0x22, 0xc0, 0xaf, 0x22),
      code: 'BUNDLE_JSON_MALFORMED',
    },
    { name: 'a fraction', json: '1.0', code: 'BUNDLE_JSON_MALFORMED' },
    { name: 'an exponent', json: '1e3', code: 'BUNDLE_JSON_MALFORMED' },
    { name: 'a leading zero', json: '01', code: 'BUNDLE_JSON_MALFORMED' },
    { name: 'negative zero', json: '-0', code: 'BUNDLE_JSON_MALFORMED' },
    { name: '2^53', json: '9007199254740992', code: 'BUNDLE_JSON_MALFORMED' },
    { name: 'a control character', json: '"\n"', code: 'BUNDLE_JSON_MALFORMED' },
    { name: 'an unknown escape', json: '"\\x"', code: 'BUNDLE_JSON_MALFORMED' },
    { name: 'a lone surrogate', json: '"\\ud800"', code: 'BUNDLE_JSON_MALFORMED' },
    { name: 'an unfinished string', json: '"a', code: 'BUNDLE_JSON_MALFORMED' },
    { name: 'an unfinished escape', json: '"\\', code: 'BUNDLE_JSON_MALFORMED' },
    { name: 'a comment', json: '{}//', code: 'BUNDLE_JSON_MALFORMED' },
    { name: 'a repeated member', json: '{"a":1,"a":2}', code: 'BUNDLE_JSON_DUPLICATE_KEY' },
    {
      name: 'a repeated member in other spelling',
      json: '{"a":1,"\\u0061":2}',
      code: 'BUNDLE_JSON_DUPLICATE_KEY',
    },
    {
      name: 'a repeated __proto__',
      json: '{"__proto__":1,"__proto__":2}',
      code: 'BUNDLE_JSON_DUPLICATE_KEY',
    },
    { name: 'deep nesting', json: '['.repeat(MAX_JSON_DEPTH + 2), code: 'BUNDLE_JSON_LIMIT' },
    { name: 'a huge document', json: new Uint8Array(MAX_JSON_BYTES + 1), code: 'BUNDLE_JSON_LIMIT' },
  ])('refuses $name', ({ json, code }) => {
    const bytes = typeof json === 'string' ? utf8(json) : json;
    expectRefusal(code, () => parseStrictJson(bytes, 'test'));
  });

  test('gives __proto__ no meaning', () => {
    const value = parseStrictJson(utf8('{"__proto__":{"admin":true}}'), 'test');
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(Object.keys(Object(value))).toEqual(['__proto__']);
  });
});

describe('preAuthenticationEncoding', () => {
  test('is that of the example in DSSE protocol.md', () => {
    const encoded = preAuthenticationEncoding('http://example.com/HelloWorld', utf8('hello world'));
    expect(text(encoded)).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  });

  test('decodes to the type and payload that went in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.uint8Array(), (type, payload) => {
        expect(decode(preAuthenticationEncoding(type, payload))).toEqual({ type, payload });
      }),
    );
  });
});

function decode(encoded: Uint8Array): { type: string; payload: Uint8Array } {
  let offset = 0;
  const takeWord = (): string => {
    const end = encoded.indexOf(0x20, offset);
    const word = text(encoded.subarray(offset, end));
    offset = end + 1;
    return word;
  };
  const takeBytes = (count: number): Uint8Array => {
    const bytes = encoded.slice(offset, offset + count);
    offset += count;
    return bytes;
  };
  expect(takeWord()).toBe('DSSEv1');
  const type = text(takeBytes(Number(takeWord())));
  expect(takeBytes(1)).toEqual(Uint8Array.of(0x20));
  const payload = takeBytes(Number(takeWord()));
  expect(offset).toBe(encoded.length);
  return { type, payload };
}

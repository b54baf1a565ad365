import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readDer, readOneDer } from '../../../signing/documents/der-reader.js';
import { der } from '../attestation/forged-certificate.js';

const tags = fc.constantFrom(0x02, 0x04, 0x0c, 0x30, 0x81, 0xa3);

test('values come back from their bytes, whatever their length', () => {
  const values = fc.array(
    fc.record({
      tag: tags,
      content: fc.oneof(fc.uint8Array(), fc.uint8Array({ minLength: 120, maxLength: 300 })),
    }),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(values, (expected) => {
      const bytes = Buffer.concat(expected.map(({ tag, content }) => der(tag, Buffer.from(content))));
      expect(readDer(Uint8Array.from(bytes))).toEqual(expected);
    }),
  );
});

test('no bytes make it throw', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void readDer(bytes)));
});

describe('no DER are', () => {
  test.each([
    { name: 'a tag without a length', hex: '30' },
    { name: 'a length without its content', hex: '3001' },
    { name: 'an indefinite length', hex: '30800000' },
    { name: 'a length of one octet in two', hex: `30817f${'00'.repeat(0x7f)}` },
    { name: 'a length of two octets that one could hold', hex: `308200ff${'00'.repeat(0xff)}` },
    { name: 'a length of three octets', hex: '3083000001ff' },
    { name: 'a tag number above 30', hex: '1f8101' },
    { name: 'a byte behind the value', hex: '300005' },
  ])('$name', ({ hex }) => {
    expect(readDer(Buffer.from(hex, 'hex'))).toBeUndefined();
  });
});

describe('one value', () => {
  test.each([
    { name: 'of this tag', hex: '0c0161', value: Uint8Array.of(0x61) },
    { name: 'of another tag', hex: '160161', value: undefined },
    { name: 'of two', hex: '0c01610c0162', value: undefined },
    { name: 'of none', hex: '', value: undefined },
  ])('$name', ({ hex, value }) => {
    const content = readOneDer(Buffer.from(hex, 'hex'), 0x0c);
    expect(content === undefined ? undefined : Uint8Array.from(content)).toEqual(value);
  });
});

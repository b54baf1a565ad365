import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DerFault, DerReader, wholeSequence } from '../../../signing/documents/der-reader.js';
import {
  derInteger,
  derObjectIdentifier,
  derOctetString,
  derSequence,
} from '../../../signing/documents/der-writer.js';
import { der as anyElement } from '../attestation/forged-certificate.js';

const hex = (text: string): DerReader => new DerReader(Uint8Array.from(Buffer.from(text, 'hex')));

describe('DER', () => {
  test('reads back every integer that a key file may have', () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 47 - 1 }), (value) => {
        const reader = new DerReader(derInteger(value));
        expect(reader.integer()).toBe(value);
        reader.end();
      }),
    );
  });

  test('reads back every octet string, alone and in a sequence', () => {
    // Where the form of the length changes, and anything between.
    const edges = fc.constantFrom(0, 127, 128, 255, 256, 65_535, 65_536);
    fc.assert(
      fc.property(fc.oneof(edges, fc.nat({ max: 70_000 })), fc.nat({ max: 255 }), (length, byte) => {
        const bytes = new Uint8Array(length).fill(byte);
        const content = new DerReader(derSequence(derOctetString(bytes), derInteger(1))).sequence();
        expect(Buffer.compare(content.octetString(), bytes)).toBe(0);
        expect(content.integer()).toBe(1);
        content.end();
      }),
    );
  });

  test('reads back every object identifier', () => {
    const root = fc.oneof(
      fc.tuple(fc.integer({ min: 0, max: 1 }), fc.nat({ max: 39 })),
      fc.tuple(fc.constant(2), fc.nat()),
    );
    fc.assert(
      fc.property(root, fc.array(fc.nat({ max: 2 ** 31 - 1 }), { maxLength: 8 }), (first, rest) => {
        const dotted = [...first, ...rest].join('.');
        expect(new DerReader(derObjectIdentifier(dotted)).objectIdentifier()).toBe(dotted);
      }),
    );
  });

  test('reads back elements of any kind', () => {
    const elements = fc.array(
      fc.record({
        tag: fc.constantFrom(0x02, 0x04, 0x0c, 0x30, 0x81, 0xa3),
        content: fc.uint8Array({ size: 'large' }),
      }),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(elements, (expected) => {
        const bytes = expected.map(({ tag, content }) => anyElement(tag, Buffer.from(content)));
        expect(new DerReader(Uint8Array.from(Buffer.concat(bytes))).elements()).toEqual(expected);
      }),
    );
  });

  test('any bytes are elements or a fault', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        try {
          new DerReader(bytes).elements();
        } catch (error) {
          expect(error).toBeInstanceOf(DerFault);
        }
      }),
    );
  });

  test('writes PBES2 and lengths as OpenSSL does', () => {
    expect(Buffer.from(derObjectIdentifier('1.2.840.113549.1.5.13')).toString('hex')).toBe(
      '06092a864886f70d01050d',
    );
    expect(Buffer.from(derOctetString(new Uint8Array(200)).subarray(0, 3)).toString('hex')).toBe('0481c8');
    expect(Buffer.from(derInteger(128)).toString('hex')).toBe('02020080');
  });

  test.each([
    { name: 'another tag', der: '0500', read: (reader: DerReader) => reader.integer() },
    { name: 'nothing', der: '', read: (reader: DerReader) => reader.sequence() },
    { name: 'no length', der: '30', read: (reader: DerReader) => reader.sequence() },
    { name: 'content that is cut off', der: '040201', read: (reader: DerReader) => reader.octetString() },
    { name: 'an indefinite length', der: '30800000', read: (reader: DerReader) => reader.sequence() },
    {
      name: 'a length in too many bytes',
      der: '04810101',
      read: (reader: DerReader) => reader.octetString(),
    },
    {
      name: 'a length with a leading zero',
      der: `048200c8${'00'.repeat(200)}`,
      read: (reader: DerReader) => reader.octetString(),
    },
    {
      name: 'a length of four bytes',
      der: '048400000001ff',
      read: (reader: DerReader) => reader.octetString(),
    },
    { name: 'an empty integer', der: '0200', read: (reader: DerReader) => reader.integer() },
    { name: 'a negative integer', der: '0201ff', read: (reader: DerReader) => reader.integer() },
    { name: 'a padded integer', der: '02020001', read: (reader: DerReader) => reader.integer() },
    {
      name: 'an integer of seven bytes',
      der: '020701000000000000',
      read: (reader: DerReader) => reader.integer(),
    },
    {
      name: 'an identifier that is cut off',
      der: '06012a86'.replace('01', '02'),
      read: (reader: DerReader) => reader.objectIdentifier(),
    },
    { name: 'an empty identifier', der: '0600', read: (reader: DerReader) => reader.objectIdentifier() },
    {
      name: 'an endless identifier',
      der: `060a${'ff'.repeat(9)}7f`,
      read: (reader: DerReader) => reader.objectIdentifier(),
    },
    { name: 'a NULL with content', der: '050100', read: (reader: DerReader) => reader.null() },
    { name: 'a tag number above 30', der: '1f8101', read: (reader: DerReader) => reader.element() },
    {
      name: 'bytes after the end',
      der: '050000',
      read: (reader: DerReader) => {
        reader.null();
        reader.end();
      },
    },
  ])('refuses $name', ({ der, read }) => {
    expect(() => read(hex(der))).toThrow(DerFault);
  });

  test.each([
    { name: 'a second one behind it', bytes: [0x30, 0x00, 0x30, 0x00] },
    { name: 'another kind', bytes: [0x04, 0x00] },
    { name: 'nothing', bytes: [] },
  ])('one sequence is not $name', ({ bytes }) => {
    expect(() => wholeSequence(Uint8Array.from(bytes))).toThrow(DerFault);
  });
});

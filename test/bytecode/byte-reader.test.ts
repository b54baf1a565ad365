import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../../engine/bytecode/index.js';
import { expectCode } from './documented-errors.js';

describe('ByteReader', () => {
  const reader = new ByteReader(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 0]), 'nine bytes');

  test.each([
    ['u8', () => reader.u8(8), 0],
    ['u16', () => reader.u16(0), 0x0201],
    ['u32', () => reader.u32(1), 0x05040302],
    ['u64', () => reader.u64(0), 0x0807060504030201n],
    ['size64 beyond 2^53', () => reader.size64(0), Number.MAX_SAFE_INTEGER],
    ['cString', () => reader.cString(6), '\x07\x08'],
    ['part', () => reader.part(4, 4, 'inner').u8(0), 5],
  ])('%s', (_name, read, expected) => {
    expect(read()).toBe(expected);
  });

  test.each([
    ['u8 at the end', () => reader.u8(9)],
    ['u8 before the start', () => reader.u8(-1)],
    ['u16 over the end', () => reader.u16(8)],
    ['u64 over the end', () => reader.u64(2)],
    ['slice over the end', () => reader.slice(5, 5)],
    ['slice of a negative size', () => reader.slice(5, -1)],
    ['slice of an unsafe size', () => reader.slice(1, Number.MAX_SAFE_INTEGER)],
    ['part reading out of itself', () => reader.part(0, 4, 'inner').u32(1)],
    ['string without end', () => reader.part(0, 4, 'inner').cString(0)],
  ])('refuses %s', (_name, read) => {
    expectCode('BYTES_OUT_OF_RANGE', read, /nine bytes|inner/);
  });
});

test('what ByteWriter writes, ByteReader reads', () => {
  const value = fc.record({
    byte: fc.nat(0xff),
    half: fc.nat(0xffff),
    word: fc.nat(0xffff_ffff),
    double: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    text: fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
  });
  fc.assert(
    fc.property(fc.array(value), (values) => {
      const writer = new ByteWriter();
      for (const { byte, half, word, double, text } of values) {
        writer.u8(byte).u16(half).u32(word).u64(double).cString(text).align(8);
      }
      const reader = new ByteReader(writer.finish(), 'written');
      let at = 0;
      for (const expected of values) {
        expect(reader.u8(at)).toBe(expected.byte);
        expect(reader.u16(at + 1)).toBe(expected.half);
        expect(reader.u32(at + 3)).toBe(expected.word);
        expect(reader.u64(at + 7)).toBe(expected.double);
        expect(reader.cString(at + 15)).toBe(expected.text);
        at = Math.ceil((at + 16 + new TextEncoder().encode(expected.text).byteLength) / 8) * 8;
      }
      expect(reader.byteLength).toBe(at);
    }),
  );
});

import { describe, expect, test } from 'vitest';
import { Attributes, cString } from '../../engine/kernel/commands/attributes.js';
import { expectCode } from '../bytecode/documented-errors.js';

describe('Attributes', () => {
  test('writes little-endian at byte offsets and leaves the rest zero', () => {
    const { bytes } = new Attributes(24).u32(4, 0x0102_0304).u64(8, 0x0102_0304_0506_0708n);
    expect(Buffer.from(bytes).toString('hex')).toBe('0000000004030201080706050403020100'.padEnd(48, '0'));
  });

  test('an empty target is the null pointer, another is not', () => {
    expect(new Attributes(8).pointer(0, new Uint8Array(0)).bytes.every((byte) => byte === 0)).toBe(true);
    expect(new Attributes(8).pointer(0, Uint8Array.of(1)).bytes.some((byte) => byte !== 0)).toBe(true);
  });

  test.each([
    { name: 'events', written: 'events' },
    { name: 'fifteen_letters', written: 'fifteen_letters' },
    { name: 'sixteen__letters', written: 'sixteen__letter' },
    { name: '.rodata.str1.1', written: '.rodata.str1.1' },
    { name: 'file/open-é', written: 'file_open__' },
  ])('the object name $name becomes $written, with a NUL behind it', ({ name, written }) => {
    const { bytes } = new Attributes(16).objectName(0, name);
    expect(Buffer.from(bytes).toString('latin1')).toBe(written.padEnd(16, '\0'));
  });

  test('refuses to write past its end', () => {
    expect(() => new Attributes(8).u32(6, 1)).toThrow(RangeError);
  });

  test('reads back what the kernel wrote', () => {
    const attributes = new Attributes(8);
    attributes.bytes.set([1, 2, 0, 0], 4);
    expect(attributes.readU32(4)).toBe(513);
  });
});

test('cString ends in a NUL', () => {
  expect([...cString('GPL')]).toEqual([0x47, 0x50, 0x4c, 0]);
});

test('a NUL inside is refused: the kernel would pin at what is before it', () => {
  expectCode('TEXT_HAS_NUL', () => cString('/sys/fs/bpf/one\0two'), /one/);
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readBtfExt } from '../../../engine/bytecode/btf/btf-ext.js';
import { Btf, BtfBuilder, btfInByteOrder } from '../../../engine/bytecode/index.js';
import { expectCode } from '../documented-errors.js';
import { randomType } from './random-types.js';

describe('byte order', () => {
  test('a big-endian BTF has the same types, names and ids', () => {
    fc.assert(
      fc.property(fc.array(randomType, { maxLength: 40 }), (types) => {
        const builder = new BtfBuilder();
        for (const type of types) builder.add(type);
        const little = builder.build();
        const big = btfInByteOrder(little, 'big-endian', 'test');
        const btf = new Btf(big, 'big');
        expect(btf.byteOrder).toBe('big-endian');
        expect(types.map((_type, index) => btf.type(index + 1))).toEqual(types);
        expect(btfInByteOrder(big, 'little-endian', 'test')).toEqual(little);
      }),
    );
  });

  test('is not touched where it is right', () => {
    const bytes = new BtfBuilder().build();
    expect(btfInByteOrder(bytes, 'little-endian', 'test')).toBe(bytes);
  });

  test('is not guessed for bytes that are no BTF', () => {
    expectCode('BTF_MALFORMED', () => btfInByteOrder(new Uint8Array(24), 'big-endian', 'zeros'));
  });

  test('of .BTF.ext is told by its magic', () => {
    const builder = new BtfBuilder();
    const section = builder.stringOffset('xdp');
    const btf = new Btf(builder.build(), 'BTF');
    const bytes = new Uint8Array(24 + 4 + 8 + 8);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, 0xeb9f);
    view.setUint8(2, 1);
    const words = [24, 0, 20, 20, 0, 8, section, 1, 16, 7];
    for (const [index, word] of words.entries()) view.setUint32(4 + index * 4, word);
    expect(readBtfExt(bytes, btf, 'ext').functions).toEqual([
      { section: 'xdp', records: [{ byteOffset: 16, typeId: 7 }] },
    ]);
  });
});

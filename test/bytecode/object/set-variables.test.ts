import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SECTION_TYPE } from '../../../engine/bytecode/elf/elf-format.js';
import { writeElf } from '../../../engine/bytecode/elf/elf-writer.js';
import {
  BtfBuilder,
  type BtfMember,
  type ObjectFile,
  readObject,
  setVariables,
  type VariableValue,
} from '../../../engine/bytecode/index.js';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { expectCode } from '../documented-errors.js';
import { compileFixture, missingTool } from '../external-tools.js';

const reason = missingTool('clang-19');

describe.skipIf(reason)('setVariables on an object of clang', () => {
  const read = (target: 'bpfel' | 'bpfeb' = 'bpfel') =>
    readObject(compileFixture('global-data', { compiler: 'clang-19', target }), 'global-data.o');
  const object = reason === undefined ? read() : undefined;
  const given = (): ObjectFile => object ?? read();

  /** The bytes that the setting changes, from the variable's start. */
  const after = (file: ObjectFile, path: string, value: VariableValue, byteCount: number): number[] => {
    const name = /^[a-z]+/.exec(path)?.[0];
    const section = setVariables(file, { [path]: value }).dataSections.find(({ variables }) =>
      variables.some((variable) => variable.name === name),
    );
    const start = section?.variables.find((variable) => variable.name === name)?.byteOffset ?? 0;
    return [...(section?.bytes.subarray(start, start + byteCount) ?? [])];
  };

  test.each<[string, VariableValue, number[]]>([
    ['small', -2, [0xfe, 0xff, 0xff, 0xff]],
    ['large', 2n ** 64n - 1n, Array(8).fill(0xff)],
    ['enabled', false, [0]],
    ['custom', 0x1234, [0x34, 0x12]],
    ['target', 'sshd', [0x73, 0x73, 0x68, 0x64, 0, 0, 0, 0]],
    ['wide', 'WIDE_LOW', Array(8).fill(0xff)],
    ['wide', -2n, [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]],
    ['ratio', 1.5, [0, 0, 0xc0, 0x3f]],
    ['precise', -2, [0, 0, 0, 0, 0, 0, 0, 0xc0]],
    ['table[1]', 9, [1, 0, 0, 0, 9, 0, 0, 0]],
    ['config.mode', 'MODE_OFF', [0, 0, 0, 0, 1, 0, 0, 0]],
    ['config.limits[0].hard', -1, [5, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]],
    ['config.limits[0]', new Uint8Array([9, 8, 7, 6, 5, 4, 3, 2]), [5, 0, 0, 0, 9, 8, 7, 6, 5, 4, 3, 2]],
    ['zeros[0]', 1, [1, 0, 0, 0]],
  ])('%s = %s', (path, value, expected) => {
    expect(after(given(), path, value, expected.length)).toEqual(expected);
  });

  test.each(['bpfel', 'bpfeb'] as const)('bit fields of %s, each without its neighbours', (target) => {
    const file = target === 'bpfel' ? given() : read(target);
    const field = (name: string, value: number) => after(file, `config.${name}`, value, 48).slice(40, 44);
    const numberOf = (bytes: number[]) => {
      const view = new DataView(new Uint8Array(bytes).buffer);
      return view.getUint32(0, target === 'bpfel');
    };
    const place = (low: number, middle: number, high: number) =>
      target === 'bpfel'
        ? low | (middle << 3) | (high << 13)
        : ((low << 29) | (middle << 19) | (high << 15)) >>> 0;
    expect(numberOf(field('low', 7))).toBe(place(7, 0x155, 15));
    expect(numberOf(field('low', 2))).toBe(place(2, 0x155, 15));
    expect(numberOf(field('middle', 0x2aa))).toBe(place(7, 0x2aa, 15));
    expect(numberOf(field('high', -8))).toBe(place(7, 0x155, 8));
  });

  test('looks into members without a name', () => {
    expect(after(given(), 'config.parts[1]', 5, 40).slice(32)).toEqual([0, 5, 0, 0, 0, 0, 0, 0]);
  });

  test('knows static variables of functions by the compiler’s name', () => {
    const { dataSections } = setVariables(given(), { 'reader.inside': 77 });
    const section = dataSections.find(({ name }) => name === '.data');
    const place = section?.variables.find(({ name }) => name === 'reader.inside')?.byteOffset ?? 0;
    expect(section?.bytes[place]).toBe(77);
  });

  test('leaves the object that it is given as it is', () => {
    const before = given().dataSections.map(({ bytes }) => bytes.slice());
    setVariables(given(), { small: 1, custom: 2 });
    expect(given().dataSections.map(({ bytes }) => bytes)).toEqual(before);
    expect(setVariables(given(), {})).toBe(given());
  });

  test.each<[string, VariableValue, ErrorCode, RegExp]>([
    ['smal', 1, 'OBJECT_VARIABLE_UNKNOWN', /no global variable smal/],
    ['config.limit', 1, 'OBJECT_VARIABLE_UNKNOWN', /config has no member limit/],
    ['config.limits[3]', 1, 'OBJECT_VARIABLE_UNKNOWN', /has 3 elements/],
    ['config.mode.x', 1, 'OBJECT_VARIABLE_UNKNOWN', /has no members/],
    ['small[0]', 1, 'OBJECT_VARIABLE_UNKNOWN', /has no elements/],
    ['small.', 1, 'OBJECT_VARIABLE_UNKNOWN', /expected \.member/],
    ['small', 2 ** 31, 'OBJECT_VARIABLE_INVALID', /-2147483648 to 2147483647 expected/],
    ['large', -1, 'OBJECT_VARIABLE_INVALID', /0 to 18446744073709551615/],
    ['small', 0.5, 'OBJECT_VARIABLE_INVALID', /whole number/],
    ['small', '1', 'OBJECT_VARIABLE_INVALID', /whole number/],
    ['large', 2 ** 60, 'OBJECT_VARIABLE_INVALID', /whole number/],
    ['enabled', 2, 'OBJECT_VARIABLE_INVALID', /0 to 1/],
    ['config.low', 8, 'OBJECT_VARIABLE_INVALID', /0 to 7/],
    ['config.low', new Uint8Array(1), 'OBJECT_VARIABLE_INVALID', /bit field/],
    ['config.mode', 'MODE_OF', 'OBJECT_VARIABLE_INVALID', /no value MODE_OF/],
    ['config', 1, 'OBJECT_VARIABLE_INVALID', /set its members/],
    ['config.limits', 1, 'OBJECT_VARIABLE_INVALID', /an array/],
    ['target', 'sixteen and more', 'OBJECT_VARIABLE_INVALID', /do not fit into char\[16\]/],
    ['target', 'a\0b', 'OBJECT_VARIABLE_INVALID', /NUL/],
    ['target', new Uint8Array(15), 'OBJECT_VARIABLE_INVALID', /16 bytes expected, got 15/],
    ['ratio', 1n, 'OBJECT_VARIABLE_INVALID', /floating/],
  ])('refuses %s = %s', (path, value, code, message) => {
    expectCode(code, () => setVariables(given(), { [path]: value }), message);
  });

  test('suggests the name that was meant', () => {
    expect(() => setVariables(given(), { tabel: 1 })).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/did you mean table\?/) }),
    );
  });
});

describe('setVariables', () => {
  /** An object with one struct `s` of two bit fields, of any place and size. */
  const withBitFields = (first: number, second: number): ObjectFile => {
    const builder = new BtfBuilder();
    const int = builder.add({
      kind: 'int',
      name: 'u64',
      byteSize: 8,
      encoding: 0,
      bitOffset: 0,
      bitSize: 64,
    });
    const members: BtfMember[] = [
      { name: 'a', typeId: int, bitOffset: 0, bitFieldSize: first },
      { name: 'b', typeId: int, bitOffset: first, bitFieldSize: second },
    ];
    const struct = builder.add({ kind: 'struct', name: 's', byteSize: 16, members });
    const typeId = builder.add({ kind: 'variable', name: 's', typeId: struct, linkage: 0 });
    builder.add({
      kind: 'data-section',
      name: '.data',
      byteSize: 16,
      variables: [{ typeId, byteOffset: 0, byteSize: 16 }],
    });
    const type = SECTION_TYPE.programBits;
    const bytes = writeElf(
      [
        { name: '.data', type, flags: 3, byteAlignment: 8, bytes: new Uint8Array(16) },
        { name: '.BTF', type, flags: 0, byteAlignment: 4, bytes: builder.build() },
      ],
      [],
    );
    return readObject(bytes, 'bits.o');
  };

  test('bit fields hold what was put in, and no others change', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 63 }),
        fc.integer({ min: 1, max: 63 }),
        fc.bigInt(),
        fc.bigInt(),
        (n, m, x, y) => {
          const a = BigInt.asUintN(n, x);
          const b = BigInt.asUintN(m, y);
          const { dataSections } = setVariables(setVariables(withBitFields(n, m), { 's.b': b }), {
            's.a': a,
          });
          const bytes = dataSections[0]?.bytes ?? new Uint8Array();
          const whole = bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
          expect(whole).toBe(a | (b << BigInt(n)));
        },
      ),
    );
  });

  test('says that an object without types has no names', () => {
    const bare = { ...withBitFields(1, 1), btf: undefined };
    expectCode('OBJECT_VARIABLE_UNKNOWN', () => setVariables(bare, { s: 1 }), /no types/);
  });
});

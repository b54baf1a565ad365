import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Btf, BtfBuilder, type BtfType, byteSizeOf, skipModifiers } from '../../../engine/bytecode/index.js';
import { expectCode, expectDocumented } from '../documented-errors.js';
import { mutatedBytes } from '../mutated-bytes.js';
import { randomType } from './random-types.js';

function btfOf(types: readonly BtfType[]): Btf {
  const builder = new BtfBuilder();
  for (const type of types) builder.add(type);
  return new Btf(builder.build(), 'test BTF');
}

const INT: BtfType = { kind: 'int', name: 'int', byteSize: 4, encoding: 1, bitOffset: 0, bitSize: 32 };
const SAMPLE: readonly BtfType[] = [
  INT,
  { kind: 'pointer', typeId: 3 },
  {
    kind: 'struct',
    name: 'task_struct',
    byteSize: 16,
    members: [
      { name: 'pid', typeId: 1, bitOffset: 0, bitFieldSize: 0 },
      { name: 'parent', typeId: 2, bitOffset: 64, bitFieldSize: 0 },
    ],
  },
  { kind: 'typedef', name: 'task_struct', typeId: 3 },
  { kind: 'struct', name: 'task_struct___old', byteSize: 0, members: [] },
  { kind: 'const', typeId: 4 },
  { kind: 'array', elementTypeId: 6, indexTypeId: 1, count: 3 },
];

describe('Btf', () => {
  const btf = btfOf(SAMPLE);

  test('gives types by id, name and kind', () => {
    expect(btf.typeCount).toBe(SAMPLE.length + 1);
    expect(btf.type(0)).toEqual({ kind: 'void' });
    expect(btf.type(3)).toEqual(SAMPLE[2]);
    expect(btf.nameOf(3)).toBe('task_struct');
    expect(btf.kindOf(2)).toBe('pointer');
    expect(btf.idsByName('task_struct')).toEqual([3, 4]);
    expect(btf.idsByName('task_struct', 'typedef')).toEqual([4]);
    expect(btf.idsByName('task')).toEqual([]);
    expect(btf.idsByName('')).toEqual([]);
  });

  test.each([
    ['task_struct', [3, 4, 5]],
    ['task_struct___any', [3, 4, 5]],
    ['task_struct__', []],
    ['task_struct____', []],
  ])('finds %s by its essential name', (name, expected) => {
    expect(btf.idsByEssentialName(name)).toEqual(expected);
  });

  test('skips modifiers and knows sizes', () => {
    expect(skipModifiers(btf, 6)).toBe(3);
    expect(byteSizeOf(btf, 7)).toBe(48);
    expect(byteSizeOf(btf, 2)).toBe(8);
  });

  test.each<[string, readonly BtfType[]]>([
    ['a modifier of itself', [{ kind: 'const', typeId: 1 }]],
    ['an array of itself', [{ kind: 'array', elementTypeId: 1, indexTypeId: 1, count: 2 }]],
    ['a size of void', [{ kind: 'const', typeId: 0 }]],
    ['a type that is not there', [{ kind: 'const', typeId: 9 }]],
  ])('refuses %s when asked for its size', (_name, types) => {
    expectCode('BTF_MALFORMED', () => byteSizeOf(btfOf(types), 1));
  });

  test.each<[string, (data: DataView) => void]>([
    ['another magic', (d) => d.setUint16(0, 0x9feb, true)],
    ['another version', (d) => d.setUint8(2, 2)],
    ['flags', (d) => d.setUint8(3, 1)],
    ['a short header', (d) => d.setUint32(4, 20, true)],
    ['a gap before the types', (d) => d.setUint32(8, 4, true)],
    ['types over the strings', (d) => d.setUint32(12, d.getUint32(12, true) + 4, true)],
    ['a string section that is too short', (d) => d.setUint32(20, d.getUint32(20, true) - 1, true)],
    ['a kind that does not exist', (d) => d.setUint8(24 + 7, 20)],
    ['reserved bits', (d) => d.setUint8(24 + 6, 1)],
    ['a type over the end', (d) => d.setUint16(24 + 16 + 12 + 4, 0xffff, true)],
    ['strings that do not end', (d) => d.setUint8(d.byteLength - 1, 0x61)],
  ])('refuses %s', (_name, change) => {
    const bytes = btf.bytes.slice();
    change(new DataView(bytes.buffer));
    expectCode('BTF_MALFORMED', () => new Btf(bytes, 'damaged'));
  });

  test('refuses the blob cut off at every length', () => {
    for (let byteLength = 0; byteLength < btf.bytes.byteLength; byteLength++) {
      expectCode('BTF_MALFORMED', () => new Btf(btf.bytes.slice(0, byteLength), 'cut'));
    }
  });

  test('names one that is out of the strings', () => {
    const bytes = btf.bytes.slice();
    new DataView(bytes.buffer).setUint32(24, 0xffff, true);
    const damaged = new Btf(bytes, 'damaged');
    expectCode('BTF_MALFORMED', () => damaged.type(1));
    expect(damaged.idsByName('int')).toEqual([]);
  });
});

test('the reader gives back what the builder was given, and the same bytes for the same types', () => {
  fc.assert(
    fc.property(fc.array(randomType, { maxLength: 40 }), (types) => {
      const btf = btfOf(types);
      expect(types.map((_type, index) => btf.type(index + 1))).toEqual(types);
      expect(btfOf(types).bytes).toEqual(btf.bytes);
      for (const [index, type] of types.entries()) {
        if ('name' in type) expect(btf.idsByName(type.name, type.kind)).toContain(index + 1);
      }
    }),
  );
});

test('fails only in documented ways on damaged BTF', () => {
  const { bytes } = btfOf(SAMPLE);
  fc.assert(
    fc.property(mutatedBytes(bytes), (damaged) =>
      expectDocumented(() => {
        const btf = new Btf(damaged, 'fuzz');
        for (let typeId = 0; typeId < btf.typeCount; typeId++) {
          expectDocumented(() => btf.type(typeId));
          expectDocumented(() => byteSizeOf(btf, typeId));
        }
        btf.idsByEssentialName('task_struct');
      }),
    ),
    { numRuns: 1000 },
  );
});

test.each([
  ['an id that was only reserved', (b: BtfBuilder) => b.reserve()],
  ['a name with a NUL in it', (b: BtfBuilder) => b.add({ kind: 'forward', name: 'a\0b', isUnion: false })],
  [
    'an offset that does not fit beside a bit field',
    (b: BtfBuilder) =>
      b.add({
        kind: 'struct',
        name: 's',
        byteSize: 4,
        members: [{ name: 'm', typeId: 0, bitOffset: 2 ** 24, bitFieldSize: 1 }],
      }),
  ],
])('the builder refuses %s', (_name, add) => {
  const builder = new BtfBuilder();
  expectCode('OBJECT_DEFINITION_INVALID', () => {
    add(builder);
    builder.build();
  });
});

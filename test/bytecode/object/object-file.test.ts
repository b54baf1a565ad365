import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  RELOCATION_TYPE,
  SECTION_TYPE,
  SYMBOL_BINDING,
  SYMBOL_TYPE,
} from '../../../engine/bytecode/elf/elf-format.js';
import {
  type NewRelocation,
  type NewSection,
  type NewSymbol,
  writeElf,
} from '../../../engine/bytecode/elf/elf-writer.js';
import {
  Assembler,
  applyCoreRelocations,
  BtfBuilder,
  type BtfMember,
  linkProgram,
  type ObjectFile,
  programFacts,
  programNamed,
  R0,
  R1,
  readObject,
  writeObject,
} from '../../../engine/bytecode/index.js';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { expectCode, expectDocumented, READING_CODES, thrownBy } from '../documented-errors.js';
import { mutatedBytes } from '../mutated-bytes.js';
import { sampleDefinition } from '../sample-object.js';

const CODE_FLAGS = 6;
const section = (name: string, bytes: Uint8Array, more: Partial<NewSection> = {}): NewSection => ({
  name,
  type: SECTION_TYPE.programBits,
  flags: 3,
  byteAlignment: 8,
  bytes,
  ...more,
});
const symbol = (name: string, inSection: string, more: Partial<NewSymbol> = {}): NewSymbol => ({
  key: name,
  name,
  type: SYMBOL_TYPE.object,
  binding: SYMBOL_BINDING.global,
  section: inSection,
  value: 0,
  byteSize: 8,
  ...more,
});
const relocation = (type: number, to: string, byteOffset = 0): NewRelocation => ({
  byteOffset,
  type,
  symbol: to,
});

/** An object with one program `f` in section `socket`, and what else is given. */
function objectWith(
  code: Assembler,
  relocations: readonly NewRelocation[] = [],
  sections: readonly NewSection[] = [],
  symbols: readonly NewSymbol[] = [],
): Uint8Array {
  const bytes = code.finish().instructions;
  const type = SYMBOL_TYPE.function;
  return writeElf(
    [section('socket', bytes, { flags: CODE_FLAGS, relocations }), ...sections],
    [symbol('f', 'socket', { type, byteSize: bytes.byteLength }), ...symbols],
  );
}

type MapMembers = Readonly<Record<string, number>>;

/** BTF of a `.maps` with maps, whose structs have these members, each of the kind that its value asks for. */
function mapsBtf(maps: Readonly<Record<string, MapMembers>>): Uint8Array {
  const builder = new BtfBuilder();
  const int = builder.add({ kind: 'int', name: 'int', byteSize: 4, encoding: 1, bitOffset: 0, bitSize: 32 });
  let byteOffset = 0;
  const variables = Object.entries(maps).map(([name, members]) => {
    const { typeId, byteSize } = mapVariable(builder, int, name, members);
    const place = { typeId, byteOffset, byteSize };
    byteOffset += byteSize;
    return place;
  });
  // As a compiler leaves it: the size, and the offsets if there are symbols, are for the reader to fill in.
  builder.add({ kind: 'data-section', name: '.maps', byteSize: 0, variables });
  return builder.build();
}

function mapVariable(builder: BtfBuilder, int: number, mapName: string, members: MapMembers) {
  const list = Object.entries(members).map(([name, value], index): BtfMember => {
    const array = builder.add({ kind: 'array', elementTypeId: int, indexTypeId: int, count: value });
    const isType = name === 'key' || name === 'value';
    const typeId = builder.add({ kind: 'pointer', typeId: isType ? int : array });
    return { name, typeId, bitOffset: index * 64, bitFieldSize: 0 };
  });
  const struct = builder.add({ kind: 'struct', name: '', byteSize: list.length * 8, members: list });
  const byteSize = list.length * 8;
  return { typeId: builder.add({ kind: 'variable', name: mapName, typeId: struct, linkage: 1 }), byteSize };
}

const withMap = (members: MapMembers): Uint8Array => withMaps({ m: members });

const withMaps = (maps: Readonly<Record<string, MapMembers>>): Uint8Array => {
  let value = 0;
  const symbols = Object.entries(maps).map(([name, members]) => {
    const placed = symbol(name, '.maps', { value });
    value += Object.keys(members).length * 8;
    return placed;
  });
  const [first = ''] = Object.keys(maps);
  return objectWith(
    new Assembler('f').loadMap(R1, first).exit(),
    [relocation(RELOCATION_TYPE.imm64, first)],
    [section('.maps', new Uint8Array(64)), section('.BTF', mapsBtf(maps), { flags: 0, byteAlignment: 4 })],
    symbols,
  );
};

test('a Buffer, as readFileSync gives it, is read like any bytes and not written to', () => {
  const bytes = writeObject(sampleDefinition());
  // Not at the start of its memory, as small Buffers are not.
  const buffer = Buffer.concat([Buffer.alloc(24), bytes]).subarray(24);
  const object = readObject(buffer, 'buffer.o');
  expect(Buffer.compare(buffer, bytes)).toBe(0);
  expect(object.btf?.bytes).toEqual(readObject(bytes, 'bytes.o').btf?.bytes);
  expect(object.programs.map((program) => program.instructions)).toEqual(
    readObject(bytes, 'bytes.o').programs.map((program) => program.instructions),
  );
});

describe('readObject', () => {
  test('reads an object without any type information', () => {
    const object = readObject(objectWith(new Assembler('f').moveImmediate(R0, 0).exit()), 'bare.o');
    expect(object).toMatchObject({ license: '', maps: [], dataSections: [], btf: undefined });
    expect(object.programs).toMatchObject([{ name: 'f', section: 'socket', typeId: 0, linkage: 'global' }]);
  });

  test('reads maps with sizes and with types', () => {
    const sizes = readObject(
      withMap({ type: 2, key_size: 4, value_size: 16, max_entries: 3, map_flags: 1 }),
      'o',
    );
    const [map] = sizes.maps;
    expect(map).toMatchObject({ name: 'm', type: 2, keySize: 4, valueSize: 16, maxEntries: 3, flags: 1 });
    const types = readObject(withMap({ type: 1, key: 0, value: 0, max_entries: 9 }), 'o');
    expect(types.maps).toMatchObject([{ type: 1, keySize: 4, valueSize: 4, keyTypeId: 1, valueTypeId: 1 }]);
  });

  test('knows a static function outside of .text for a subprogram', () => {
    const caller = new Assembler('f').callFunction('g').exit().finish().instructions;
    const bytes = new Uint8Array([...caller, ...nothing().finish().instructions]);
    const type = SYMBOL_TYPE.function;
    const object = readObject(
      writeElf(
        [
          section('socket', bytes, {
            flags: CODE_FLAGS,
            relocations: [relocation(RELOCATION_TYPE.call32, 'g')],
          }),
        ],
        [
          symbol('f', 'socket', { type, byteSize: 16 }),
          symbol('g', 'socket', { type, value: 16, binding: SYMBOL_BINDING.local }),
        ],
      ),
      'o',
    );
    expect(object.programs.map((f) => f.name)).toEqual(['f']);
    expect(object.subprograms.map((f) => f.name)).toEqual(['g']);
    const [program] = object.programs;
    expect(program && linkProgram(object, program).subprograms).toEqual(['g']);
  });

  test.each<[string, ErrorCode, () => Uint8Array]>([
    [
      'legacy maps',
      'OBJECT_UNSUPPORTED',
      () => objectWith(nothing(), [], [section('maps', new Uint8Array(20))]),
    ],
    [
      'struct_ops without BTF',
      'OBJECT_MALFORMED',
      () => objectWith(nothing(), [], [section('.struct_ops', new Uint8Array(8))]),
    ],
    [
      'two licences',
      'OBJECT_MALFORMED',
      () =>
        objectWith(
          nothing(),
          [],
          [section('license', new Uint8Array(1)), section('license', new Uint8Array(1))],
        ),
    ],
    [
      'a licence without end',
      'BYTES_OUT_OF_RANGE',
      () => objectWith(nothing(), [], [section('license', new Uint8Array([71]))]),
    ],
    ['a map attribute that is not known', 'OBJECT_UNSUPPORTED', () => withMap({ type: 2, colour: 1 })],
    ['pinning of no known sort', 'OBJECT_MALFORMED', () => withMap({ type: 2, pinning: 2 })],
    ['values in a map of numbers', 'OBJECT_UNSUPPORTED', () => withMap({ type: 2, values: 0 })],
    ['values before the end', 'OBJECT_MALFORMED', () => withMap({ type: 12, values: 0, key_size: 4 })],
    ['values that are no array', 'OBJECT_MALFORMED', () => withMap({ type: 12, values: 0 })],
    ['a map without type', 'OBJECT_MALFORMED', () => withMap({ key_size: 4 })],
    ['a map with two key sizes', 'OBJECT_MALFORMED', () => withMap({ type: 2, key: 0, key_size: 8 })],
    [
      'maps without BTF',
      'OBJECT_MALFORMED',
      () => objectWith(nothing(), [], [section('.maps', new Uint8Array(8))]),
    ],
    ['two arenas', 'OBJECT_MALFORMED', () => withMaps({ a: { type: 33 }, b: { type: 33 } })],
    [
      'arena variables without an arena',
      'OBJECT_MALFORMED',
      () => objectWith(nothing(), [], [section('.addr_space.1', new Uint8Array(8))]),
    ],
    [
      'a version that is not a number',
      'OBJECT_MALFORMED',
      () => objectWith(nothing(), [], [section('version', new Uint8Array(3))]),
    ],
    ['an address in no map', 'OBJECT_MALFORMED', () => withAddress('.maps', 8)],
    [
      'a relocation of another type',
      'OBJECT_UNSUPPORTED',
      () => objectWith(nothing(), [relocation(RELOCATION_TYPE.imm64, 'f')]),
    ],
    [
      'a relocation inside an instruction',
      'OBJECT_MALFORMED',
      () =>
        objectWith(new Assembler('f').loadImmediate64(R1, 0n).exit(), [
          relocation(RELOCATION_TYPE.imm64, 'f', 8),
        ]),
    ],
    [
      'a function that is not whole instructions',
      'OBJECT_MALFORMED',
      () =>
        writeElf(
          [section('socket', new Uint8Array(16), { flags: CODE_FLAGS })],
          [symbol('f', 'socket', { type: SYMBOL_TYPE.function, byteSize: 12 })],
        ),
    ],
    [
      'functions that overlap',
      'OBJECT_MALFORMED',
      () =>
        objectWith(
          new Assembler('f').moveImmediate(R0, 0).exit(),
          [],
          [],
          [symbol('g', 'socket', { type: SYMBOL_TYPE.function })],
        ),
    ],
    [
      'a function beyond its section',
      'OBJECT_MALFORMED',
      () =>
        writeElf(
          [section('socket', new Uint8Array(8), { flags: CODE_FLAGS })],
          [symbol('f', 'socket', { type: SYMBOL_TYPE.function, byteSize: 16 })],
        ),
    ],
    [
      'two programs of one name',
      'OBJECT_MALFORMED',
      () =>
        writeElf(
          [section('socket', new Uint8Array(16), { flags: CODE_FLAGS })],
          [0, 8].map((value) =>
            symbol('f', 'socket', { key: `${value}`, type: SYMBOL_TYPE.function, value }),
          ),
        ),
    ],
  ])('refuses %s', (_name, code, build) => {
    expectCode(code, () => readObject(build(), 'bad.o'), /^bad\.o/);
  });

  test.each<[string, () => Uint8Array]>([
    ['an address of no function', () => withAddress('.text', 0)],
    ['a call into the middle', () => objectWith(callTo(-2))],
    ['a call out of the section', () => objectWith(callTo(100))],
    ['a file descriptor in a ld_imm64', () => objectWith(new Assembler('f').loadFunction(R1, 'x').exit())],
  ])('reads %s, and links no program that reaches it', (_name, build) => {
    const object = readObject(build(), 'bad.o');
    expectCode(
      'OBJECT_MALFORMED',
      () => linkProgram(object, programNamed(object, 'f')),
      /^bad\.o: f: f, inst/,
    );
  });

  test('knows one function by two names', () => {
    const type = SYMBOL_TYPE.function;
    const object = readObject(objectWith(nothing(), [], [], [symbol('g', 'socket', { type })]), 'alias.o');
    expect(object.programs.map((f) => [f.name, f.byteOffset])).toEqual([
      ['f', 0],
      ['g', 0],
    ]);
  });

  test('passes over addresses in data', () => {
    const data = section('.data', new Uint8Array(8), { relocations: [relocation(2, 'f')] });
    expect(readObject(objectWith(nothing(), [], [data]), 'o').dataSections).toMatchObject([
      { name: '.data' },
    ]);
  });

  test('refuses the object cut off at every length', () => {
    const whole = writeObject(sampleDefinition());
    for (let byteLength = 0; byteLength < whole.byteLength; byteLength++) {
      const error = thrownBy(() => readObject(whole.slice(0, byteLength), 'cut.o'));
      expect(READING_CODES, `at ${byteLength} bytes`).toContain(error?.code);
    }
  });

  test('fails only in documented ways on damaged objects, to the last step', () => {
    const whole = writeObject(sampleDefinition());
    const kernel = readObject(whole, 'kernel').btf;
    fc.assert(
      fc.property(mutatedBytes(whole), (bytes) =>
        expectDocumented(() => {
          const object = readObject(bytes, 'fuzz.o');
          for (const program of object.programs) {
            expectDocumented(() => programFacts(object, program));
            expectDocumented(() => {
              const linked = linkProgram(object, program);
              if (object.btf && kernel) {
                applyCoreRelocations(linked, object.btf, { vmlinux: kernel, modules: () => [] });
              }
            });
          }
        }),
      ),
      { numRuns: 2000 },
    );
  });
});

describe('references out of the object', () => {
  /** Makes the last symbol one that is not defined: what the compiler writes for the kernel's. */
  const undefinedSymbol = (bytes: Uint8Array): Uint8Array => {
    const view = new DataView(bytes.buffer);
    const table = Number(view.getBigUint64(40, true)) + (view.getUint16(60, true) - 2) * 64;
    const end = Number(view.getBigUint64(table + 24, true)) + Number(view.getBigUint64(table + 32, true));
    view.setUint16(end - 24 + 6, 0, true);
    return bytes;
  };
  const read = (code: Assembler, type: number): ObjectFile =>
    readObject(
      undefinedSymbol(objectWith(code, [relocation(type, 'k')], [], [symbol('k', 'socket')])),
      'out.o',
    );

  test('a call of a kernel function is listed by name', () => {
    const object = read(new Assembler('f').callFunction('k').exit(), RELOCATION_TYPE.call32);
    const [program] = object.programs;
    expect(program?.references).toEqual([{ kind: 'kfunc', slotIndex: 0, name: 'k' }]);
    if (program === undefined) return;
    expect(linkProgram(object, program).kfuncReferences).toEqual([{ slotIndex: 0, name: 'k' }]);
    expect(programFacts(object, program)).toMatchObject({ kfuncs: ['k'], helperIds: [] });
  });

  test('the address of a kernel variable is listed by name', () => {
    const object = read(new Assembler('f').loadImmediate64(R1, 0n).exit(), RELOCATION_TYPE.imm64);
    expect(linkProgram(object, programNamed(object, 'f')).externReferences).toEqual([
      { slotIndex: 0, name: 'k' },
    ]);
  });
});

function nothing(): Assembler {
  return new Assembler('f').exit();
}

/** A call of `distance` slots from the next instruction, without relocation. */
function callTo(distance: number): Assembler {
  const code = new Assembler('f').callFunction('x').exit();
  const { instructions } = code.finish();
  new DataView(instructions.buffer).setInt32(4, distance, true);
  return Object.assign(new Assembler('f'), { finish: () => ({ ...code.finish(), instructions }) });
}

/** A ld_imm64 of a byte of a section of 8 bytes, by the section's symbol. */
function withAddress(name: string, byteOffset: number): Uint8Array {
  const flags = name === '.text' ? CODE_FLAGS : 3;
  const sections = [section(name, new Uint8Array(8), { flags })];
  if (name === '.maps') sections.push(section('.BTF', mapsBtf({}), { flags: 0, byteAlignment: 4 }));
  return objectWith(
    new Assembler('f').loadImmediate64(R1, BigInt(byteOffset)).exit(),
    [relocation(RELOCATION_TYPE.imm64, 'place')],
    sections,
    [symbol('place', name, { type: SYMBOL_TYPE.section, binding: SYMBOL_BINDING.local, byteSize: 0 })],
  );
}

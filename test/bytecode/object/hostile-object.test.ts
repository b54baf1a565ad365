import { describe, expect, test } from 'vitest';
import { SECTION_TYPE, SYMBOL_TYPE } from '../../../engine/bytecode/elf/elf-format.js';
import { type NewSection, type NewSymbol, writeElf } from '../../../engine/bytecode/elf/elf-writer.js';
import { BtfBuilder, type BtfMember, readObject } from '../../../engine/bytecode/index.js';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { expectCode, thrownBy } from '../documented-errors.js';

const CODE_FLAGS = 6;
const EXIT = new Uint8Array([0x95, 0, 0, 0, 0, 0, 0, 0]);

const section = (name: string, bytes: Uint8Array, flags = 3): NewSection => ({
  name,
  type: SECTION_TYPE.programBits,
  flags,
  byteAlignment: 4,
  bytes,
});

/** An object of one struct of many members, that many variables of a section share. */
function manyOfOneStruct(
  name: string,
  structName: string,
  members: readonly BtfMember[],
  count: number,
): Uint8Array {
  const builder = new BtfBuilder();
  const struct = builder.add({ kind: 'struct', name: structName, byteSize: 0, members });
  const variables = Array.from({ length: count }, (_, index) => ({
    typeId: builder.add({ kind: 'variable', name: `v${index}`, typeId: struct, linkage: 0 }),
    byteOffset: index * 8,
    byteSize: 8,
  }));
  builder.add({ kind: 'data-section', name, byteSize: count * 8, variables });
  return writeElf([section(name, new Uint8Array(count * 8)), section('.BTF', builder.build(), 0)], []);
}

const membersNamed = (name: (index: number) => string): BtfMember[] =>
  Array.from({ length: 60_000 }, (_, index) => ({
    name: name(index),
    typeId: 0,
    bitOffset: index * 8,
    bitFieldSize: 0,
  }));

/** `.ksyms` sections without number, none with an int to stand in, all with one prototype of many parameters. */
function manyKsyms(): Uint8Array {
  const builder = new BtfBuilder();
  const pointer = builder.add({ kind: 'pointer', typeId: 0 });
  const parameters = Array.from({ length: 60_000 }, () => ({ name: '', typeId: pointer }));
  const typeId = builder.add({ kind: 'function-prototype', returnTypeId: 0, parameters });
  const f = builder.add({ kind: 'function', name: 'f', typeId, linkage: 2 });
  for (let index = 0; index < 100_000; index++) {
    const variables = [{ typeId: f, byteOffset: 0, byteSize: 0 }];
    builder.add({ kind: 'data-section', name: '.ksyms', byteSize: 0, variables });
  }
  return writeElf([section('.BTF', builder.build(), 0)], []);
}

function manyPrograms(): Uint8Array {
  const count = 5000;
  const code = new Uint8Array(count * EXIT.byteLength);
  for (let index = 0; index < count; index++) code.set(EXIT, index * EXIT.byteLength);
  const symbols = Array.from(
    { length: count },
    (_, index): NewSymbol => ({
      key: `${index}`,
      name: `f${index}`,
      type: SYMBOL_TYPE.function,
      binding: 1,
      section: 'socket',
      value: index * EXIT.byteLength,
      byteSize: EXIT.byteLength,
    }),
  );
  return writeElf([section('socket', code, CODE_FLAGS)], symbols);
}

/** Each symbol is named by one byte less of one long string. */
function overlappingNames(): Uint8Array {
  const symbols = Array.from(
    { length: 4000 },
    (_, index): NewSymbol => ({
      key: `${index}`,
      name: index === 0 ? 'x'.repeat(20_000) : '',
      type: SYMBOL_TYPE.none,
      binding: 1,
      section: 'socket',
      value: 0,
      byteSize: 0,
    }),
  );
  const bytes = writeElf([section('socket', EXIT, CODE_FLAGS)], symbols);
  const view = new DataView(bytes.buffer);
  const table = Number(view.getBigUint64(40, true)) + (view.getUint16(60, true) - 2) * 64;
  const start = Number(view.getBigUint64(table + 24, true));
  const end = start + Number(view.getBigUint64(table + 32, true));
  for (let at = start + 24, index = 1; at < end; at += 24, index++) view.setUint32(at, index, true);
  return bytes;
}

/**
 * Files of some megabytes at most, each of which made work that grows with its square. What a fault here looks
 * like is a test that does not end.
 */
describe('a small file makes little work', () => {
  test.each<[string, ErrorCode, () => Uint8Array]>([
    [
      'many maps of one struct',
      'OBJECT_MALFORMED',
      () =>
        manyOfOneStruct(
          '.maps',
          '',
          membersNamed(() => 'type'),
          60_000,
        ),
    ],
    ['many programs', 'OBJECT_UNSUPPORTED', manyPrograms],
    ['names that overlap', 'ELF_MALFORMED', overlappingNames],
  ])('%s: refused', (_name, code, build) => {
    expectCode(code, () => readObject(build(), 'hostile.o'), /limit|over/);
  });

  test('many structs of callbacks of one type', () => {
    const bytes = manyOfOneStruct(
      '.struct_ops',
      'ops',
      membersNamed((index) => `m${index}`),
      60_000,
    );
    expect(readObject(bytes, 'hostile.o').structOps).toHaveLength(60_000);
  });

  test('many sections of kernel symbols', () => {
    const { btf } = readObject(manyKsyms(), 'hostile.o');
    expect(btf?.idsByName('dummy_ksym')).toHaveLength(1);
  });

  test('a struct inside of itself', () => {
    const builder = new BtfBuilder();
    const struct = builder.reserve();
    builder.define(struct, {
      kind: 'struct',
      name: '',
      byteSize: 8,
      members: [{ name: 'values', typeId: struct, bitOffset: 0, bitFieldSize: 0 }],
    });
    const typeId = builder.add({ kind: 'variable', name: 'm', typeId: struct, linkage: 0 });
    builder.add({
      kind: 'data-section',
      name: '.maps',
      byteSize: 8,
      variables: [{ typeId, byteOffset: 0, byteSize: 8 }],
    });
    const bytes = writeElf([section('.maps', new Uint8Array(8)), section('.BTF', builder.build(), 0)], []);
    expect(thrownBy(() => readObject(bytes, 'hostile.o'))?.code).toBe('OBJECT_UNSUPPORTED');
  });
});

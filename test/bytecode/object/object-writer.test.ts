import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Assembler,
  type ObjectDefinition,
  programNamed,
  R0,
  R1,
  readObject,
  writeObject,
} from '../../../engine/bytecode/index.js';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { expectCode } from '../documented-errors.js';
import { sampleDefinition } from '../sample-object.js';
import { randomDefinition } from './random-definition.js';

/** What a written map says beyond its definition. */
const NOTHING_MORE = {
  keyTypeId: 0,
  valueTypeId: 0,
  mapExtra: 0n,
  numaNode: 0,
  pinning: 'none',
  innerMap: undefined,
  initialContents: [],
};

describe('writeObject', () => {
  const object = readObject(writeObject(sampleDefinition()), 'sample.bpf.o');

  test('keeps maps, constants, licence and metadata', () => {
    const { maps, metadata } = sampleDefinition();
    expect(object.license).toBe('GPL');
    expect(object.maps).toEqual(maps.map((map) => ({ ...map, ...NOTHING_MORE })));
    expect(object.metadata).toEqual(metadata);
    expect(object.dataSections).toMatchObject([
      {
        name: '.rodata',
        isWritable: false,
        bytes: new Uint8Array([7, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255]),
        variables: [{ name: 'settings', byteOffset: 0, byteSize: 16 }],
      },
    ]);
  });

  test('keeps programs and subprograms, which BTF says to be static', () => {
    expect(object.programs.map(({ name, section }) => [name, section])).toEqual([
      ['on_switch', 'raw_tp/sched_switch'],
      ['filter', 'socket'],
    ]);
    expect(object.subprograms.map(({ name, linkage }) => [name, linkage])).toEqual([
      ['each', 'static'],
      ['outer', 'static'],
      ['inner', 'static'],
    ]);
    expect(object.subprograms.map((f) => object.btf?.type(f.typeId))).toMatchObject([
      { kind: 'function', name: 'each', linkage: 0 },
      { kind: 'function', name: 'outer', linkage: 0 },
      { kind: 'function', name: 'inner', linkage: 0 },
    ]);
  });

  test('keeps references and kernel fields, with the local value in the instruction', () => {
    const program = programNamed(object, 'on_switch');
    expect(program.references.map((reference) => reference.kind)).toEqual([
      'map',
      'data',
      'function-address',
      'call',
    ]);
    expect(program.references[1]).toMatchObject({ section: '.rodata', byteOffset: 8 });
    expect(program.coreRelocations).toMatchObject([
      { slotIndex: 2, kind: 'field-byte-offset', access: '0:1' },
    ]);
    // `pid` after three bits of an unsigned int: the add's immediate, at byte 4 of slot 2.
    expect(program.instructions[2 * 8 + 4]).toBe(4);
  });

  test('writes the same bytes for the same definition', () => {
    expect(writeObject(sampleDefinition())).toEqual(writeObject(sampleDefinition()));
  });

  const add = (change: Partial<ObjectDefinition>): ObjectDefinition => ({ ...sampleDefinition(), ...change });
  const program = (code: Assembler, section = 'socket') => ({ section, function: code.exit().finish() });
  const uses = (code: Assembler) => add({ programs: [program(code)] });
  const map = { name: 'm', type: 2, keySize: 4, valueSize: 4, maxEntries: 1, flags: 0 };
  const nested = {
    name: 'a',
    kind: 'struct' as const,
    members: [{ name: 'b', type: { kind: 'struct' as const, name: 'a' } }],
  };
  test.each<[string, ErrorCode, ObjectDefinition]>([
    [
      'a section of no program type',
      'OBJECT_SECTION_UNKNOWN',
      add({ programs: [program(new Assembler('f'), 'mine')] }),
    ],
    ['a function twice', 'OBJECT_DEFINITION_INVALID', add({ programs: [program(new Assembler('inner'))] })],
    ['a map named like a function', 'OBJECT_DEFINITION_INVALID', add({ maps: [{ ...map, name: 'inner' }] })],
    ['a name that is not one', 'OBJECT_DEFINITION_INVALID', add({ maps: [{ ...map, name: 'a-b' }] })],
    [
      'a name that is too long',
      'OBJECT_DEFINITION_INVALID',
      add({ maps: [{ ...map, name: 'a'.repeat(128) }] }),
    ],
    ['a map without type', 'OBJECT_DEFINITION_INVALID', add({ maps: [{ ...map, type: 0 }] })],
    ['a map of negative size', 'OBJECT_DEFINITION_INVALID', add({ maps: [{ ...map, valueSize: -1 }] })],
    ['an unknown map', 'OBJECT_DEFINITION_INVALID', uses(new Assembler('f').loadMap(R1, 'none'))],
    [
      'an unknown constant',
      'OBJECT_DEFINITION_INVALID',
      uses(new Assembler('f').loadConstant(R1, 'none', 0)),
    ],
    ['an unknown function', 'OBJECT_DEFINITION_INVALID', uses(new Assembler('f').callFunction('none'))],
    ['a call of a program', 'OBJECT_DEFINITION_INVALID', uses(new Assembler('f').callFunction('f'))],
    [
      'an unknown kernel type',
      'OBJECT_DEFINITION_INVALID',
      uses(new Assembler('f').addFieldOffset(R1, { struct: 'none', path: ['x'] })),
    ],
    [
      'an unknown member',
      'OBJECT_DEFINITION_INVALID',
      uses(new Assembler('f').addFieldOffset(R1, { struct: 'task_struct', path: ['none'] })),
    ],
    [
      'a path through a pointer',
      'OBJECT_DEFINITION_INVALID',
      uses(new Assembler('f').addFieldOffset(R1, { struct: 'task_struct', path: ['mm', 'x'] })),
    ],
    [
      'a path of no members',
      'OBJECT_DEFINITION_INVALID',
      uses(new Assembler('f').addFieldOffset(R1, { struct: 'task_struct', path: [] })),
    ],
    ['a struct within itself', 'OBJECT_DEFINITION_INVALID', add({ programs: [], kernelTypes: [nested] })],
    [
      'a constant without members',
      'OBJECT_DEFINITION_INVALID',
      add({ constants: [{ name: 'c', members: [] }] }),
    ],
    [
      'a constant that does not fit',
      'OBJECT_DEFINITION_INVALID',
      add({
        programs: [],
        constants: [{ name: 'c', members: [{ name: 'm', byteSize: 4, value: 2n ** 32n }] }],
      }),
    ],
    [
      'a reference that is not on its instruction',
      'OBJECT_DEFINITION_INVALID',
      add({
        programs: [
          {
            section: 'socket',
            function: {
              ...new Assembler('f').moveImmediate(R0, 0).exit().finish(),
              symbolReferences: [{ kind: 'map', slotIndex: 0, map: 'counts' }],
            },
          },
        ],
      }),
    ],
    [
      'a reference outside of the function',
      'OBJECT_DEFINITION_INVALID',
      add({
        programs: [
          {
            section: 'socket',
            function: {
              ...new Assembler('f').exit().finish(),
              symbolReferences: [{ kind: 'call', slotIndex: 1, target: 'inner' }],
            },
          },
        ],
      }),
    ],
  ])('refuses %s', (_name, code, definition) => {
    expectCode(code, () => writeObject(definition));
  });

  test('what it writes is read back', () => {
    fc.assert(
      fc.property(randomDefinition, (definition) => {
        const read = readObject(writeObject(definition), 'random.o');
        expect(read.license).toBe(definition.license);
        expect(read.metadata).toEqual(definition.metadata);
        expect(read.maps).toEqual(definition.maps.map((m) => ({ ...m, ...NOTHING_MORE })));
        expect(read.subprograms.map((f) => f.name)).toEqual(definition.subprograms.map((f) => f.name));
        expect(new Set(read.programs.map((f) => `${f.section} ${f.name}`))).toEqual(
          new Set(definition.programs.map((p) => `${p.section} ${p.function.name}`)),
        );
        for (const { function: f } of definition.programs) {
          const back = programNamed(read, f.name);
          expect(back.instructions.byteLength).toBe(f.instructions.byteLength);
          expect(back.references.map(({ kind, slotIndex }) => ({ kind, slotIndex }))).toEqual(
            f.symbolReferences.map(({ kind, slotIndex }) => ({ kind, slotIndex })),
          );
          expect(back.coreRelocations.map(({ kind, slotIndex }) => ({ kind, slotIndex }))).toEqual(
            f.fieldReferences.map(({ kind, slotIndex }) => ({ kind, slotIndex })),
          );
        }
      }),
    );
  });
});

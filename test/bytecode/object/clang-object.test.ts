import { describe, expect, test } from 'vitest';
import {
  applyCoreRelocations,
  Btf,
  linkProgram,
  programFacts,
  programNamed,
  readObject,
} from '../../../engine/bytecode/index.js';
import { compileWithClang, missingTool } from '../external-tools.js';

const reason = missingTool('clang');

describe.skipIf(reason)(`an object of clang's own${reason === undefined ? '' : ` (${reason})`}`, () => {
  const object = reason === undefined ? readObject(compileWithClang(), 'every-feature.bpf.o') : undefined;
  const read = () => {
    if (object === undefined) throw new Error('not compiled');
    return { object, program: programNamed(object, 'on_switch') };
  };

  test('has its programs, subprograms and maps', () => {
    expect(read().object).toMatchObject({
      license: 'GPL',
      programs: [{ name: 'on_switch' }, { name: 'filter' }],
      maps: [
        { name: 'counts', type: 2, keySize: 4, valueSize: 8, maxEntries: 4 },
        { name: 'events', type: 27, keySize: 0, valueSize: 0, maxEntries: 4096 },
      ],
    });
    expect(
      read()
        .object.subprograms.map(({ name, linkage }) => `${linkage} ${name}`)
        .sort(),
    ).toEqual(['global shared', 'static each', 'static inner', 'static outer']);
  });

  test('has its variables where the compiler put them', () => {
    const sections = read().object.dataSections.map(({ name, isWritable, variables }) => ({
      name,
      isWritable,
      variables: variables.map((variable) => variable.name),
    }));
    expect(sections).toEqual([
      { name: '.rodata', isWritable: false, variables: ['settings', 'on_switch.format', 'hidden'] },
      { name: '.data', isWritable: true, variables: ['total'] },
      { name: '.bss', isWritable: true, variables: ['seen'] },
    ]);
    for (const { bytes, variables } of read().object.dataSections) {
      for (const { byteOffset, byteSize } of variables) {
        expect(byteSize).toBeGreaterThan(0);
        expect(byteOffset + byteSize).toBeLessThanOrEqual(bytes.byteLength);
      }
    }
    // What the compiler left to the linker is filled in for the kernel.
    const { btf } = read().object;
    const typeId = btf?.idsByName('.rodata', 'data-section')[0] ?? 0;
    expect(btf?.type(typeId)).toMatchObject({ byteSize: read().object.dataSections[0]?.bytes.byteLength });
  });

  test('is linked with source lines and the types of its functions', () => {
    const { object: file, program } = read();
    const linked = linkProgram(file, program);
    expect([...linked.subprograms].sort()).toEqual(['each', 'inner', 'outer', 'shared']);
    expect(linked.functionInfo).toHaveLength(5);
    expect(linked.lines[0]?.fileName).toMatch(/every-feature\.bpf\.c$/);
    expect(linked.lines.map((line) => line.source.trim())).toContain('seen++;');
    expect(programFacts(file, program)).toMatchObject({ helperIds: [1, 6, 35, 113, 181], maps: ['counts'] });
  });

  test('resolves against its own types to itself', () => {
    const { object: file, program } = read();
    const linked = linkProgram(file, program);
    if (file.btf === undefined) throw new Error('no BTF');
    const kinds = new Set(linked.coreRelocations.map((relocation) => relocation.kind));
    expect(kinds.size).toBeGreaterThanOrEqual(8);
    const itself = { vmlinux: new Btf(file.btf.bytes, 'itself'), modules: () => [] };
    const { instructions, poisoned } = applyCoreRelocations(linked, file.btf, itself);
    expect(poisoned).toEqual([]);
    expect(instructions).toEqual(linked.instructions);
  });
});

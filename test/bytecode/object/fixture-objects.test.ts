import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  linkProgram,
  type ObjectFile,
  programFacts,
  programNamed,
  readObject,
  setVariables,
} from '../../../engine/bytecode/index.js';
import { InstructionSlots } from '../../../engine/bytecode/instruction-slots.js';
import { expectDocumented } from '../documented-errors.js';
import { type BpfBuild, compileFixture, missingTool } from '../external-tools.js';
import { mutatedBytes } from '../mutated-bytes.js';

const FIXTURES = [
  'externs',
  'map-attributes',
  'struct-ops',
  'global-data',
  'arena',
  'functions',
  'lone-functions',
] as const;
const BUILDS: readonly BpfBuild[] = [
  { compiler: 'clang', target: 'bpfel' },
  { compiler: 'clang-19', target: 'bpfel' },
  { compiler: 'clang-19', target: 'bpfeb' },
];

const describedBuilds = BUILDS.map((build) => {
  const reason = missingTool(build.compiler);
  const name = `an object of ${build.compiler} for ${build.target}`;
  return { build, reason, title: reason === undefined ? name : `${name} (${reason})` };
});

describe.each(describedBuilds)('$title', ({ build, reason }) => {
  const compiled = new Map<string, Uint8Array>();
  const bytesOf = (name: (typeof FIXTURES)[number]): Uint8Array => {
    const bytes = compiled.get(name) ?? compileFixture(name, build);
    compiled.set(name, bytes);
    return bytes;
  };
  const read = (name: (typeof FIXTURES)[number]) => readObject(bytesOf(name), `${name}.o`);

  test.skipIf(reason)('says its byte order', () => {
    expect(read('functions').byteOrder).toBe(build.target === 'bpfeb' ? 'big-endian' : 'little-endian');
  });

  test.skipIf(reason)('has values of the configuration, placed as libbpf places them', () => {
    const { externs, kconfigByteSize, btf } = read('externs');
    const kconfig = externs.filter((extern) => extern.kind === 'kconfig');
    expect(
      kconfig.map((e) => [e.name, e.byteOffset, e.byteSize, e.value, e.isWeak, e.isSigned] as const),
    ).toEqual([
      ['CONFIG_HZ', 0, 8, 'integer', false, false],
      ['CONFIG_IPV6', 8, 4, 'tristate', true, false],
      ['LINUX_KERNEL_VERSION', 12, 4, 'integer', false, true],
      ['CONFIG_BPF_SYSCALL', 16, 1, 'bool', false, false],
      ['CONFIG_LETTER', 17, 1, 'char', true, true],
      ['CONFIG_DEFAULT_HOSTNAME', 18, 9, 'string', true, false],
    ]);
    expect(kconfigByteSize).toBe(27);
    const [typeId = 0] = btf?.idsByName('.kconfig', 'data-section') ?? [];
    expect(btf?.type(typeId)).toMatchObject({
      byteSize: 27,
      variables: [{ byteOffset: 0 }, {}, {}, {}, {}, {}],
    });
  });

  test.skipIf(reason)('has variables and functions of the kernel', () => {
    const object = read('externs');
    const { externs, btf } = object;
    const byName = new Map(externs.map((extern) => [extern.name, extern]));
    expect(byName.get('bpf_prog_active')).toMatchObject({ kind: 'variable', typeId: 0, isWeak: false });
    expect(byName.get('not_in_any_kernel')).toMatchObject({ kind: 'variable', isWeak: true });
    const { typeId = 0 } = byName.get('runqueues') ?? {};
    expect(btf?.type(typeId)).toMatchObject({ kind: 'struct', name: 'rq' });
    expect(byName.get('bpf_not_there')).toMatchObject({ kind: 'kfunc', isWeak: true });
    const acquire = byName.get('bpf_task_acquire');
    expect(btf?.type(acquire?.typeId ?? 0)).toMatchObject({ kind: 'function', linkage: 1 });
  });

  test.skipIf(reason)('has references to all of those', () => {
    const object = read('externs');
    const values = linkProgram(object, programNamed(object, 'kernel_values'));
    const offsets = values.kconfigReferences.map(({ byteOffset }) => byteOffset);
    expect([...offsets].sort((a, b) => a - b)).toEqual([0, 8, 12, 16, 17, 18]);
    const symbols = linkProgram(object, programNamed(object, 'kernel_symbols'));
    expect(new Set(symbols.externReferences.map(({ name }) => name))).toEqual(
      new Set(['runqueues', 'bpf_prog_active', 'not_in_any_kernel']),
    );
    const functions = linkProgram(object, programNamed(object, 'kernel_functions'));
    expect(functions.kfuncReferences.map(({ name }) => name)).toEqual([
      'bpf_task_acquire',
      'bpf_not_there',
      'bpf_task_release',
    ]);
    expect(functions.externReferences).toMatchObject([{ name: 'bpf_not_there' }]);
    const slots = new InstructionSlots(functions.instructions, 'kernel_functions');
    for (const { slotIndex } of functions.kfuncReferences) {
      expect([slots.isCall(slotIndex), slots.sourceRegister(slotIndex)]).toEqual([true, 2]);
    }
    expect(programFacts(object, programNamed(object, 'kernel_functions'))).toMatchObject({
      kfuncs: ['bpf_not_there', 'bpf_task_acquire', 'bpf_task_release'],
      kernelSymbols: ['bpf_not_there'],
      helperIds: [],
    });
  });

  test.skipIf(reason)('stands in for what the kernel has, so that its BTF can be loaded', () => {
    const { btf } = read('externs');
    const [typeId = 0] = btf?.idsByName('.ksyms', 'data-section') ?? [];
    const section = btf?.type(typeId);
    if (btf === undefined || section?.kind !== 'data-section') throw new Error('no .ksyms');
    expect(section.byteSize).toBe(section.variables.length * 4);
    for (const [index, { typeId: variableId, byteOffset, byteSize }] of section.variables.entries()) {
      expect([byteOffset, byteSize]).toEqual([index * 4, 4]);
      const variable = btf.type(variableId);
      expect(variable).toMatchObject({ kind: 'variable', linkage: 1 });
      if (variable.kind === 'variable')
        expect(btf.type(variable.typeId)).toMatchObject({ kind: 'int', byteSize: 4 });
    }
    const [prototypeId] = btf.idsByName('bpf_not_there', 'function').map((id) => {
      const type = btf.type(id);
      return type.kind === 'function' ? type.typeId : 0;
    });
    // The kernel wants a name for every parameter of a global function.
    expect(btf.type(prototypeId ?? 0)).toMatchObject({
      parameters: [{ name: 'dummy_ksym' }, { name: 'dummy_ksym' }],
    });
  });

  test.skipIf(reason)('has every attribute of its maps', () => {
    const { maps } = read('map-attributes');
    const byName = new Map(maps.map((map) => [map.name, map]));
    expect(byName.get('counts')).toMatchObject({
      type: 1,
      keySize: 8,
      valueSize: 8,
      maxEntries: 128,
      flags: 5,
      numaNode: 1,
      pinning: 'by-name',
      mapExtra: 0n,
      innerMap: undefined,
      initialContents: [],
    });
    expect(byName.get('bloom')).toMatchObject({ type: 30, keySize: 0, valueSize: 4, mapExtra: 5n });
    // Before clang 15 a value of an enum has 32 bits in BTF.
    const mapExtra = build.compiler === 'clang' ? 0n : 1n << 44n;
    expect(byName.get('arena')).toMatchObject({ type: 33, mapExtra, flags: 1024 });
    expect(byName.get('quiet')).toMatchObject({ type: 2, valueSize: 4, pinning: 'none' });
    expect(byName.get('buffers')).toMatchObject({
      valueSize: 4,
      innerMap: { name: 'buffers.inner', type: 27, maxEntries: 4096 },
      initialContents: [],
    });
  });

  test.skipIf(reason)('has what its maps hold from the start', () => {
    const { maps, programs } = read('map-attributes');
    const byName = new Map(maps.map((map) => [map.name, map]));
    const contents = byName.get('outer')?.initialContents;
    expect(contents?.map(({ index }) => index)).toEqual([0, 3]);
    const [first, second] = contents ?? [];
    expect(first?.target.kind === 'map' && first.target.map).toBe(byName.get('first'));
    expect(second?.target.kind === 'map' && second.target.map).toBe(byName.get('second'));
    const [call] = byName.get('calls')?.initialContents ?? [];
    expect(call?.index).toBe(2);
    expect(call?.target.kind === 'program' && call.target.program).toBe(programs[0]);
  });

  test.skipIf(reason)('names the maps of its instructions, static ones too', () => {
    const object = read('map-attributes');
    expect(programFacts(object, programNamed(object, 'caller')).maps).toEqual([
      'arena',
      'buffers',
      'calls',
      'counts',
      'outer',
      'quiet',
    ]);
  });

  test.skipIf(reason)('has the structs of callbacks that it implements', () => {
    const { structOps, kernelVersion } = read('struct-ops');
    expect(
      structOps.map(({ name, typeName, isLink, isLoadedByDefault, functions }) => ({
        name,
        typeName,
        isLink,
        isLoadedByDefault,
        functions: functions.map((f) => `${f.byteOffset} ${f.member} ${f.program.name}`),
      })),
    ).toEqual([
      {
        name: 'plain',
        typeName: 'tcp_congestion_ops___lean',
        isLink: false,
        isLoadedByDefault: true,
        functions: ['8 ssthresh lean_ssthresh', '16 undo_cwnd lean_undo'],
      },
      {
        name: 'linked',
        typeName: 'tcp_congestion_ops___lean',
        isLink: true,
        isLoadedByDefault: true,
        functions: ['8 ssthresh lean_ssthresh'],
      },
      {
        name: 'optional',
        typeName: 'tcp_congestion_ops___lean',
        isLink: true,
        isLoadedByDefault: false,
        functions: ['24 cong_avoid lean_avoid'],
      },
    ]);
    const bytes = structOps[0]?.bytes ?? new Uint8Array();
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    expect(view.getUint32(0, build.target === 'bpfel')).toBe(5);
    expect(new TextDecoder().decode(bytes.subarray(32, 37))).toBe('plain');
    expect(bytes.subarray(8, 24)).toEqual(new Uint8Array(16));
    expect(kernelVersion).toBe(0x060c00);
  });

  test.skipIf(reason)('has its global variables, section by section', () => {
    const { dataSections } = read('global-data');
    const sections = new Map(dataSections.map((section) => [section.name, section]));
    const names = (section: string) => sections.get(section)?.variables.map(({ name }) => name);
    expect([...sections.keys()].sort()).toEqual(
      expect.arrayContaining([
        '.bss.zeros',
        '.data',
        '.data.custom',
        '.rodata',
        '.rodata.str1.1',
        '.rodata.table',
      ]),
    );
    expect(names('.data.custom')).toEqual(['custom']);
    expect(names('.rodata.table')).toEqual(['table']);
    expect(names('.bss.zeros')).toEqual(['zeros']);
    expect(sections.get('.rodata.str1.1')).toMatchObject({
      isWritable: false,
      isMappable: false,
      variables: [],
    });
    const variables = new Map(sections.get('.data')?.variables.map((variable) => [variable.name, variable]));
    expect(variables.get('ratio')).toMatchObject({ isGlobal: true });
    expect(variables.get('unseen')).toMatchObject({ isGlobal: false });
    expect(variables.get('reader.inside')).toMatchObject({ isGlobal: false });
    expect(sections.get('.data')?.isMappable).toBe(true);
  });

  test.skipIf(reason)('links functions in the order of their first calls, whatever their linkage', () => {
    const object = read('functions');
    const order = (name: string) => linkProgram(object, programNamed(object, name)).subprograms;
    expect(order('first')).toEqual(['replaceable', 'shared', 'deep']);
    expect(order('second')).toEqual(['each', 'deep', 'concealed', 'shared']);
    expect(order('alone')).toEqual([]);
    const { btf } = object;
    const linkage = (name: string) => {
      const type = btf?.type(btf.idsByName(name, 'function')[0] ?? 0);
      return type?.kind === 'function' ? type.linkage : undefined;
    };
    expect([linkage('shared'), linkage('concealed'), linkage('deep')]).toEqual([1, 0, 0]);
  });

  test.skipIf(reason)('links a function beside its program, and one that only the kernel calls', () => {
    const object = read('lone-functions');
    const order = (name: string) => linkProgram(object, programNamed(object, name)).subprograms;
    expect(object.programs.map(({ name }) => name)).toEqual(['caller', 'thrower']);
    expect(order('caller')).toEqual(['beside']);
    expect(order('thrower')).toEqual(['deep', 'when_thrown']);
  });

  test.skipIf(reason)('fails only in documented ways when it is damaged', () => {
    for (const name of FIXTURES) {
      fc.assert(
        fc.property(mutatedBytes(bytesOf(name)), (bytes) => expectDocumented(() => readAll(bytes))),
        { numRuns: 150 },
      );
    }
  });
});

/** Everything that a loader does before it asks a kernel. */
function readAll(bytes: Uint8Array): ObjectFile {
  const object = readObject(bytes, 'damaged.o');
  for (const program of object.programs) {
    expectDocumented(() => programFacts(object, program));
    for (const line of linkProgram(object, program).lines)
      expectDocumented(() => [line.fileName, line.source]);
  }
  return object;
}

const noClang19 = missingTool('clang-19');
const unless = noClang19 === undefined ? '' : ` (${noClang19})`;

/** Clang 14 has no section for address spaces. */
describe.skipIf(noClang19).each(['bpfel', 'bpfeb'] as const)(
  `an object with an arena for %s${unless}`,
  (target) => {
    test('has the variables of its arena', () => {
      const object = readObject(compileFixture('arena', { compiler: 'clang-19', target }), 'arena.o');
      const { arena } = object;
      expect(arena).toMatchObject({
        mapName: 'memory',
        variables: [{ name: 'counter' }, { name: 'hidden' }, {}],
      });
      const linked = linkProgram(object, programNamed(object, 'walk'));
      const [counter, hidden, head] = arena?.variables ?? [];
      expect(new Set(linked.arenaReferences.map(({ byteOffset }) => byteOffset))).toEqual(
        new Set([counter?.byteOffset, hidden?.byteOffset, head?.byteOffset]),
      );
      const changed = setVariables(object, { counter: 0x01020304 }).arena?.bytes.subarray(
        counter?.byteOffset,
      );
      const order = target === 'bpfel' ? [4, 3, 2, 1] : [1, 2, 3, 4];
      expect([...(changed?.subarray(0, 4) ?? [])]).toEqual(order);
    });
  },
);

describe.skipIf(noClang19)(`instructions of the two byte orders${unless}`, () => {
  // Bit fields of global-data lie in another order.
  test.each(FIXTURES.filter((name) => name !== 'global-data'))('%s: are the same', (name) => {
    const [little, big] = (['bpfel', 'bpfeb'] as const).map((target) =>
      readObject(compileFixture(name, { compiler: 'clang-19', target }), target),
    );
    const code = (object: ObjectFile | undefined) =>
      object?.programs.map(({ name: program, instructions }) => [program, instructions]);
    expect(code(big)).toEqual(code(little));
  });
});

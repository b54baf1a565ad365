import { afterEach, describe, expect, test } from 'vitest';
import { BtfBuilder, PROGRAM_TYPE, PSEUDO, type SourceLine } from '../../engine/bytecode/index.js';
import { EXIT, encodeSlots, type RawSlot, setR0 } from '../../engine/kernel/features/probe-program.js';
import {
  BpfMap,
  BpfProgram,
  btfBytes,
  btfInfo,
  KernelTypes,
  kernelSymbolAddress,
  listBtf,
  loadBtf,
  type OwnedFd,
  openToken,
  type ProgramLoad,
  programMetadata,
  ResourceStack,
  readBtfById,
  u32Key,
  unpin,
} from '../../engine/kernel/index.js';
import { thrownBy } from '../policies/policy-text.js';

let resources = new ResourceStack();
afterEach(() => {
  resources[Symbol.dispose]();
  resources = new ResourceStack();
});

const programLoad = (overrides: Partial<ProgramLoad>): ProgramLoad => ({
  name: 'sample',
  type: PROGRAM_TYPE['socket-filter'],
  expectedAttachType: 0,
  attachBtfId: 0,
  license: 'GPL',
  instructions: encodeSlots([setR0(0), EXIT]),
  sleepable: false,
  btf: undefined,
  functionInfo: [],
  ...overrides,
});
const load = (overrides: Partial<ProgramLoad>) => resources.use(BpfProgram.load(programLoad(overrides)));

/** `int sample(void *)` with two lines of source, as an object built with -g has them. */
function debugInformation(): {
  btf: OwnedFd;
  functionInfo: ProgramLoad['functionInfo'];
  lines: SourceLine[];
} {
  const builder = new BtfBuilder();
  const int = builder.add({
    kind: 'int',
    name: 'int',
    byteSize: 4,
    encoding: 1,
    bitOffset: 0,
    bitSize: 32,
  });
  const pointer = builder.add({ kind: 'pointer', typeId: 0 });
  const prototype = builder.add({
    kind: 'function-prototype',
    returnTypeId: int,
    parameters: [{ name: 'ctx', typeId: pointer }],
  });
  const typeId = builder.add({ kind: 'function', name: 'sample', typeId: prototype, linkage: 1 });
  const line = (slotIndex: number, number: number, source: string): SourceLine => ({
    slotIndex,
    fileName: 'sample.bpf.c',
    fileNameOffset: builder.stringOffset('sample.bpf.c'),
    source,
    sourceOffset: builder.stringOffset(source),
    line: number,
    column: 3,
  });
  const lines = [line(0, 11, '  int a = 1;'), line(1, 12, '  return b;')];
  return { btf: resources.use(loadBtf(builder.build())), functionInfo: [{ slotIndex: 0, typeId }], lines };
}

describe('BpfProgram.load', () => {
  test('a refusal names the line of source', () => {
    const instructions = encodeSlots([setR0(1), [0xbf, 0, 6, 0, 0], EXIT]);
    const error = thrownBy(() => load({ ...debugInformation(), instructions }));
    expect(error).toMatchObject({
      code: 'PROGRAM_REFUSED',
      message: 'the verifier refused program sample (EACCES): R6 !read_ok, at sample.bpf.c:12: return b;',
      details: {
        slotIndex: 1,
        summary: 'R6 !read_ok',
        source: { fileName: 'sample.bpf.c', line: 12, source: 'return b;' },
      },
    });
  });

  test('the kernel has the lines and the function of an accepted program', () => {
    const program = load({ ...debugInformation(), instructions: encodeSlots([setR0(1), setR0(0), EXIT]) });
    const { btfId, name } = program.info();
    expect(name).toBe('sample');
    expect(readBtfById(btfId).idsByName('sample', 'function')).toHaveLength(1);
  });

  test('without debug information a refusal has at least the instruction', () => {
    const error = thrownBy(() => load({ instructions: encodeSlots([[0xbf, 0, 6, 0, 0], EXIT]) }));
    expect(error.details).toMatchObject({ slotIndex: 0, summary: 'R6 !read_ok' });
    expect(error.details).not.toHaveProperty('source');
  });

  test.each<{ name: string; slots: RawSlot[]; summary: RegExp }>([
    {
      name: 'code that is never reached',
      slots: [setR0(0), EXIT, setR0(1), EXIT],
      summary: /^unreachable insn 2$/,
    },
    { name: 'a jump out of the program', slots: [[0x05, 0, 0, 9, 0], EXIT], summary: /^jump out of range/ },
    { name: 'no exit', slots: [setR0(0)], summary: /^last insn is not an exit or jmp/ },
    {
      name: 'a read beyond the stack',
      slots: [[0x79, 0, 10, 8, 0], EXIT],
      summary: /^invalid read from stack|^invalid.*stack/,
    },
    { name: 'an opcode that is none', slots: [[0x8d, 9, 9, 9, 9], EXIT], summary: /BPF_CALL|opcode|R9/ },
    { name: 'an infinite loop', slots: [setR0(0), [0x05, 0, 0, -1, 0], EXIT], summary: /loop|unreachable/ },
  ])('the summary of $name', ({ slots, summary }) => {
    const error = thrownBy(() => load({ instructions: encodeSlots(slots) }));
    expect(error.code).toBe('PROGRAM_REFUSED');
    expect(error.details?.['summary']).toMatch(summary);
    expect(error.message).not.toContain('processed');
  });

  test('a log of megabytes comes whole with one more attempt', () => {
    const slots: RawSlot[] = Array.from({ length: 60_000 }, (_, index) => setR0(index));
    let attempts = 0;
    const error = thrownBy(() =>
      load({
        instructions: encodeSlots([...slots, [0xbf, 0, 6, 0, 0], EXIT]),
        beforeAttempt: () => attempts++,
      }),
    );
    expect(error.log?.length).toBeGreaterThan(1_000_000);
    expect(error.log).toMatch(/^(.*\n)?0: /);
    expect(error.details).toMatchObject({ summary: 'R6 !read_ok', slotIndex: 60_000 });
    expect(attempts).toBe(3);
  });

  test('keeps the log of an accepted program if asked', () => {
    expect(load({ logLevel: 2 }).log).toContain('processed 2 insns');
    expect(load({}).log).toBe('');
  });

  test('maps are named by index, too', () => {
    const map = resources.use(
      BpfMap.create({ name: 'one', type: 2, keySize: 4, valueSize: 4, maxEntries: 1, flags: 0 }),
    );
    map.update(u32Key(0), u32Key(77));
    // r1 = value of fd_array[0]; r0 = *(u32 *)r1
    const slots: RawSlot[] = [
      [0x18, 1, PSEUDO.mapIndexValue, 0, 0],
      [0, 0, 0, 0, 0],
      [0x61, 0, 1, 0, 0],
      EXIT,
    ];
    const program = load({
      type: PROGRAM_TYPE.syscall,
      sleepable: true,
      instructions: encodeSlots(slots),
      fdArray: Int32Array.of(map.fd),
    });
    expect(program.testRun({ context: new Uint8Array(8) }).returnValue).toBe(77);
    expect(program.info().mapIds).toEqual([map.id()]);
  });

  test('what the kernel made of it can be read', () => {
    const program = load({});
    const translated = program.dump('translated');
    expect(translated.byteLength % 8).toBe(0);
    expect([...translated.subarray(-8)]).toEqual([0x95, 0, 0, 0, 0, 0, 0, 0]);
    expect(program.dump('jited').byteLength).toBe(program.info().jitedBytes);
  });

  test('is found by id and by pin', () => {
    const path = `/sys/fs/bpf/vespid-program-${process.pid}`;
    const program = load({ name: 'found' });
    program.pin(path);
    resources.use({ [Symbol.dispose]: () => void unpin(path) });
    const { id } = program.info();
    using byId = BpfProgram.openById(id);
    using byPin = BpfProgram.openPinned(path);
    expect([byId.info().id, byPin.info().id, byId.name]).toEqual([id, id, 'found']);
    expect(thrownBy(() => BpfMap.openPinned(path))).toMatchObject({
      code: 'PIN_MISMATCH',
      details: { expected: 'map', actual: 'prog' },
    });
    expect(thrownBy(() => BpfProgram.openById(0x7fff_fff0)).code).toBe('KERNEL_OBJECT_GONE');
  });

  test('keeps a map that it is bound to', () => {
    const map = BpfMap.create({ name: 'bound', type: 2, keySize: 4, valueSize: 4, maxEntries: 1, flags: 0 });
    const id = map.id();
    const program = load({});
    program.bind(map);
    map.close();
    expect(program.info().mapIds).toEqual([id]);
  });
});

describe('what a program says about itself', () => {
  test('globals by the name bpf_metadata_ are read from the map that is bound to it', () => {
    const builder = new BtfBuilder();
    const int = (name: string, byteSize: number) =>
      builder.add({ kind: 'int', name, byteSize, encoding: 1, bitOffset: 0, bitSize: byteSize * 8 });
    const number = int('int', 4);
    const char = int('char', 1);
    const text = builder.add({ kind: 'array', elementTypeId: char, indexTypeId: number, count: 8 });
    const variable = (name: string, typeId: number) =>
      builder.add({ kind: 'variable', name, typeId, linkage: 1 });
    const valueTypeId = builder.add({
      kind: 'data-section',
      name: '.rodata',
      byteSize: 16,
      variables: [
        { typeId: variable('bpf_metadata_version', text), byteOffset: 0, byteSize: 8 },
        { typeId: variable('bpf_metadata_build', number), byteOffset: 8, byteSize: 4 },
        { typeId: variable('unrelated', number), byteOffset: 12, byteSize: 4 },
      ],
    });
    const btf = resources.use(loadBtf(builder.build()));
    const map = resources.use(
      BpfMap.create({
        name: 'sample.rodata',
        type: 2,
        keySize: 4,
        valueSize: 16,
        maxEntries: 1,
        flags: 0,
        btf: { fd: btf.fd, keyTypeId: 0, valueTypeId },
      }),
    );
    map.update(u32Key(0), Buffer.from('1.2.3\0\0\0\x07\0\0\0\x08\0\0\0', 'latin1'));
    const program = load({});
    expect(programMetadata(program)).toEqual({});
    program.bind(map);
    expect(programMetadata(program)).toEqual({ version: '1.2.3', build: 7 });
  });
});

describe('a token', () => {
  test('is not for the initial user namespace', () => {
    expect(thrownBy(() => openToken('/sys/fs/bpf'))).toMatchObject({
      code: 'KERNEL_CALL_FAILED',
      details: { errnoName: expect.stringMatching(/^E(OPNOTSUPP|NOTSUP)$/) },
    });
    expect(thrownBy(() => openToken('/vespid-no-such-directory')).code).toBe('INPUT_NOT_FOUND');
  });
});

describe('BTF in the kernel', () => {
  test('loads, tells about itself and gives its bytes back', () => {
    const builder = new BtfBuilder();
    builder.add({ kind: 'float', name: 'double', byteSize: 8 });
    const bytes = builder.build();
    const btf = resources.use(loadBtf(bytes));
    const info = btfInfo(btf);
    expect(info).toMatchObject({ byteSize: bytes.byteLength, name: '', isKernel: false });
    expect(btfBytes(btf)).toEqual(bytes);
    expect(readBtfById(info.id).idsByName('double')).toEqual([1]);
  });

  test("the list has the kernel's own", () => {
    expect([...listBtf()].some(({ name, isKernel }) => isKernel && name === 'vmlinux')).toBe(true);
  });
});

describe('KernelTypes of the running kernel', () => {
  test('finds functions, also those of modules if there are any', () => {
    using types = new KernelTypes();
    expect(types.findFunction('vfs_read')?.btf).toBe(types.vmlinux);
    expect(types.findFunction('vespid_no_such_function')).toBeUndefined();
    const modules = [...listBtf()].filter(({ isKernel, name }) => isKernel && name !== 'vmlinux');
    expect(types.modules().map(({ name }) => name)).toEqual(modules.map(({ name }) => name));
    for (const { btf } of types.modules()) expect(btf.base).toBe(types.vmlinux);
  });

  test('a symbol has its address', () => {
    expect(kernelSymbolAddress('vfs_read')).toBeGreaterThan(0xffff_0000_0000_0000n);
    expect(kernelSymbolAddress('vespid_no_such_symbol')).toBeUndefined();
  });
});

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import {
  Assembler,
  MAP_TYPE,
  type MapDefinition,
  PROGRAM_TYPE,
  PSEUDO,
  R0,
  R1,
  R2,
  R3,
  R4,
  R6,
  R10,
  SLOT_BYTES,
} from '../../engine/bytecode/index.js';
import {
  attachTargetId,
  BpfMap,
  BpfProgram,
  Cgroup,
  cgroupRoot,
  loadBtf,
  type ProgramLoad,
  possibleCpuCount,
  probeKernel,
  ResourceStack,
  RingBuffer,
  u32Key,
} from '../../engine/kernel/index.js';
import { thrownBy } from '../policies/policy-text.js';
import { heldObjects } from './bpf-objects.js';

let resources = new ResourceStack();
afterEach(() => {
  resources[Symbol.dispose]();
  resources = new ResourceStack();
});

const definition = (overrides: Partial<MapDefinition>): MapDefinition => ({
  name: 'sample',
  type: MAP_TYPE.hash,
  keySize: 4,
  valueSize: 8,
  maxEntries: 2,
  flags: 0,
  ...overrides,
});

const createMap = (overrides: Partial<MapDefinition>) => resources.use(BpfMap.create(definition(overrides)));

/** A program of type syscall, which BPF_PROG_TEST_RUN runs with the context that it is given. */
function syscallProgram(instructions: Uint8Array, overrides: Partial<ProgramLoad> = {}): ProgramLoad {
  return {
    name: 'sample',
    type: PROGRAM_TYPE.syscall,
    expectedAttachType: 0,
    attachBtfId: 0,
    license: 'GPL',
    instructions,
    sleepable: true,
    btf: undefined,
    functionInfo: [],
    ...overrides,
  };
}

describe('BpfMap', () => {
  test('sets, finds and deletes', () => {
    const map = createMap({});
    const value = new Uint8Array(8);
    expect(map.lookup(u32Key(1), value)).toBe(false);
    map.update(u32Key(1), Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    expect(map.lookup(u32Key(1), value)).toBe(true);
    expect([...value]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(map.delete(u32Key(1))).toBe(true);
    expect(map.delete(u32Key(1))).toBe(false);
    expect(map.id()).toBeGreaterThan(0);
  });

  test('says what the kernel said when it is full', () => {
    const map = createMap({ maxEntries: 1 });
    map.update(u32Key(1), new Uint8Array(8));
    const error = thrownBy(() => map.update(u32Key(2), new Uint8Array(8)));
    expect(error).toMatchObject({ code: 'KERNEL_CALL_FAILED', details: { errnoName: 'E2BIG' } });
    expect(error.message).toContain('map sample');
  });

  test('refuses a key of another length before the kernel reads past it', () => {
    expect(thrownBy(() => createMap({}).update(new Uint8Array(3), new Uint8Array(8))).code).toBe(
      'MAP_ELEMENT_SIZE',
    );
  });

  test('a per-CPU value is one for every possible CPU', () => {
    const map = createMap({ type: MAP_TYPE.percpuArray, maxEntries: 1 });
    const values = BigUint64Array.from({ length: possibleCpuCount() }, (_, cpu) => BigInt(cpu + 1));
    map.update(u32Key(0), new Uint8Array(values.buffer));
    const read = new BigUint64Array(possibleCpuCount());
    map.lookup(u32Key(0), new Uint8Array(read.buffer));
    expect(read).toEqual(values);
  });

  test('a frozen map takes no more from user space', () => {
    const map = createMap({ type: MAP_TYPE.array, maxEntries: 1, flags: 0x80 });
    map.update(u32Key(0), new Uint8Array(8));
    map.freeze();
    expect(thrownBy(() => map.update(u32Key(0), new Uint8Array(8)))).toMatchObject({
      code: 'KERNEL_PERMISSION',
      exitCode: 4,
    });
  });

  test('a definition that no kernel takes is refused with the name of the map', () => {
    const error = thrownBy(() => createMap({ name: 'impossible', maxEntries: 0 }));
    expect(error).toMatchObject({ code: 'KERNEL_CALL_FAILED', details: { errnoName: 'EINVAL' } });
    expect(error.message).toContain('impossible');
  });
});

describe('BpfProgram', () => {
  const returning = (value: number) =>
    new Assembler('sample').moveImmediate(R0, value).exit().finish().instructions;

  test('loads, runs and tells about itself', () => {
    const program = resources.use(BpfProgram.load(syscallProgram(returning(42))));
    expect(program.testRun({ context: new Uint8Array(8) }).returnValue).toBe(42);
    const info = program.info();
    expect(info).toMatchObject({ name: 'sample', verifiedInstructions: 2 });
    expect(info.tag).toMatch(/^[0-9a-f]{16}$/);
    expect(info.id).toBeGreaterThan(0);
  });

  test("a refused program is an error with the verifier's reason and its whole log", () => {
    const unset = new Assembler('sample').move(R0, R6).exit().finish().instructions;
    const error = thrownBy(() => BpfProgram.load(syscallProgram(unset, { name: 'unset_register' })));
    expect(error).toMatchObject({ code: 'PROGRAM_REFUSED', details: { program: 'unset_register' } });
    expect(error.message).toContain('R6 !read_ok');
    expect(error.log).toContain('R6 !read_ok');
    expect(error.hint).toBeTruthy();
  });

  test('a log of more than 64 KiB comes whole', () => {
    const long = new Assembler('sample');
    for (let count = 0; count < 3000; count++) {
      long.storeImmediate(8, R10, -8, count).load(8, R0, R10, -8).aluImmediate('add', R0, 1);
    }
    long.move(R0, R6).exit();
    const error = thrownBy(() => BpfProgram.load(syscallProgram(long.finish().instructions)));
    expect(error.code).toBe('PROGRAM_REFUSED');
    expect(error.log?.length).toBeGreaterThan(64 * 1024);
    expect(error.log?.split('\n').slice(0, 3).join('\n')).toMatch(/\b0: /);
    expect(error.log).toContain('2999');
    expect(error.message).toContain('R6 !read_ok');
  });

  test('is announced before every attempt, also the one for the log', () => {
    let attempts = 0;
    const unset = new Assembler('sample').exit().finish().instructions;
    const load = syscallProgram(unset, { beforeAttempt: () => attempts++ });
    expect(thrownBy(() => BpfProgram.load(load)).code).toBe('PROGRAM_REFUSED');
    expect(attempts).toBe(2);
  });

  test('a type that does not exist is refused without a log', () => {
    const error = thrownBy(() => BpfProgram.load(syscallProgram(returning(0), { type: 9999 })));
    expect(error).toMatchObject({ code: 'KERNEL_CALL_FAILED', details: { errnoName: 'EINVAL' } });
  });

  test('broken BTF is refused with the log', () => {
    const error = thrownBy(() => loadBtf(new Uint8Array(24)));
    expect(error.code).toBe('BTF_REFUSED');
    expect(error.log).not.toBe('');
  });
});

describe('a ring buffer that the kernel fills', () => {
  const RING_BYTES = 4096;
  const SOURCE_BYTES = 608;

  /** Puts a text into the ring, by a program that takes it from a map: u32 length, then the bytes. */
  function producerInto(events: BpfMap): (text: string) => number {
    const source = createMap({
      name: 'source',
      type: MAP_TYPE.array,
      valueSize: SOURCE_BYTES,
      maxEntries: 1,
    });
    const assembler = new Assembler('produce');
    const end = assembler.label('end');
    const { instructions, symbolReferences } = assembler
      .storeImmediate(4, R10, -4, 0)
      .move(R2, R10)
      .aluImmediate('add', R2, -4)
      .loadMap(R1, 'source')
      .callHelper('map_lookup_elem')
      .jumpIfImmediate('==', R0, 0, end)
      .move(R2, R0)
      .load(4, R3, R2, 0)
      .jumpIfImmediate('>', R3, SOURCE_BYTES - 4, end)
      .aluImmediate('add', R2, 4)
      .loadMap(R1, 'events')
      .moveImmediate(R4, 0)
      .callHelper('ringbuf_output')
      .place(end)
      .moveImmediate(R0, 0)
      .exit()
      .finish();
    const view = new DataView(instructions.buffer);
    for (const reference of symbolReferences) {
      const map = reference.kind === 'map' && reference.map === 'events' ? events : source;
      view.setUint8(reference.slotIndex * SLOT_BYTES + 1, (PSEUDO.mapFd << 4) | R1);
      view.setInt32(reference.slotIndex * SLOT_BYTES + 4, map.fd, true);
    }
    const program = resources.use(BpfProgram.load(syscallProgram(instructions)));
    return (text) => {
      const value = Buffer.alloc(SOURCE_BYTES);
      value.writeUInt32LE(text.length);
      value.write(text, 4, 'latin1');
      source.update(u32Key(0), value);
      return program.testRun({ context: new Uint8Array(8) }).returnValue;
    };
  }

  const ring = () =>
    createMap({ name: 'events', type: MAP_TYPE.ringbuf, keySize: 0, valueSize: 0, maxEntries: RING_BYTES });
  const texts = Array.from({ length: 300 }, (_, index) => `${index}:`.padEnd(4 + ((index * 37) % 590), 'x'));

  test('gives every record whole, over many rounds of its memory', () => {
    const events = ring();
    const produce = producerInto(events);
    const seen: string[] = [];
    const buffer = resources.use(
      RingBuffer.copying(events, (record) => seen.push(Buffer.from(record).toString('latin1')), {
        poll: false,
      }),
    );
    for (const [index, text] of texts.entries()) {
      produce(text);
      if (index % 4 === 3) buffer.drain();
    }
    buffer.drain();
    expect(seen).toEqual(texts);
  });

  test('wakes the event loop for records, and no more once it is closed', async () => {
    const events = ring();
    const produce = producerInto(events);
    const seen: string[] = [];
    const buffer = RingBuffer.copying(events, (record) => seen.push(Buffer.from(record).toString('latin1')));
    try {
      for (const text of texts.slice(0, 20)) {
        produce(text);
        const giveUpAt = Date.now() + 2_000;
        while (seen.at(-1) !== text && Date.now() < giveUpAt) await sleep(1);
      }
      expect(seen).toEqual(texts.slice(0, 20));
    } finally {
      buffer[Symbol.dispose]();
    }
    produce('late');
    await sleep(20);
    expect(seen).toHaveLength(20);
  });
});

describe('Cgroup.open', () => {
  test('the root has level 0', () => {
    using root = Cgroup.open(cgroupRoot());
    expect(root.level).toBe(0);
    expect(root.id).toBeGreaterThan(0n);
  });

  test.each([
    { what: 'a directory that is not there', path: () => join(cgroupRoot(), 'vespid-not-there') },
    { what: 'a file of the hierarchy', path: () => join(cgroupRoot(), 'cgroup.procs') },
    { what: 'a directory of another file system', path: () => '/tmp' },
    { what: 'the way out of the hierarchy', path: () => join(cgroupRoot(), '../..') },
  ])('$what is refused with a hint', ({ path }) => {
    const before = heldFds();
    const error = thrownBy(() => Cgroup.open(path()));
    expect(error).toMatchObject({ code: 'CGROUP_NOT_FOUND', exitCode: 2 });
    expect(error.hint).toContain(cgroupRoot());
    expect(heldFds()).toBe(before);
  });
});

/** The lowest free descriptor: it moves when one is leaked. */
function heldFds(): number {
  using map = BpfMap.create(definition({}));
  return map.fd;
}

describe('probeKernel on this kernel', () => {
  test('finds what every supported kernel has', () => {
    const features = probeKernel();
    for (const feature of [
      features.btf,
      features.ringBuffer,
      features.tracepointBtf,
      features.cgroupSockAddr,
    ]) {
      expect(feature).toMatchObject({ available: true, reason: '' });
    }
  });

  test('gives a reason for what it does not find, and a gate level that follows', () => {
    const { bpfLsm, trampolines, gate } = probeKernel();
    for (const feature of [bpfLsm, trampolines]) {
      expect(feature.available).toBe(feature.reason === '');
      expect(feature.since).toMatch(/^\d+\.\d+$/);
    }
    if (!bpfLsm.available) expect(gate).toBe('none');
  });

  test('leaves nothing behind and says the same again', () => {
    const before = heldObjects();
    const first = probeKernel();
    expect(probeKernel()).toEqual(first);
    expect(heldObjects()).toEqual(before);
  });

  test('an attach target that does not exist is not supported, with its name', () => {
    const error = thrownBy(() => attachTargetId({ kind: 'function', name: 'vespid_no_such_function' }));
    expect(error).toMatchObject({ code: 'KERNEL_UNSUPPORTED', exitCode: 4 });
    expect(error.message).toContain('vespid_no_such_function');
  });
});

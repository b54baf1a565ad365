import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { loadObject } from '../../engine/bpf/index.js';
import { ATTACH_TYPE, MAP_TYPE, readObject } from '../../engine/bytecode/index.js';
import {
  attachToSockmap,
  BpfMap,
  type BpfProgram,
  Cgroup,
  MAP_FLAG,
  PerfBuffer,
  possibleCpuCount,
  ResourceStack,
  RingBuffer,
  UserRingBuffer,
  u32Key,
} from '../../engine/kernel/index.js';
import { compileFixture } from '../bytecode/external-tools.js';
import { thrownBy } from '../policies/policy-text.js';
import { TestCgroup } from './test-cgroup.js';

/** Each of these ended the process, or reached another object, before its owner was asked. */
const resources = new ResourceStack();
afterAll(() => resources[Symbol.dispose]());

function create(
  type: keyof typeof MAP_TYPE,
  sizes: [key: number, value: number, entries: number],
  flags = 0,
) {
  const [keySize, valueSize, maxEntries] = sizes;
  return resources.use(
    BpfMap.create({ name: 'closed', type: MAP_TYPE[type], keySize, valueSize, maxEntries, flags }),
  );
}

const ring = () => create('ringbuf', [0, 0, 4096]);
const closedError = (use: () => unknown) => thrownBy(use).code;

describe('an object of the kernel that was closed', () => {
  test('is not mistaken for the next one of its number', () => {
    const small = create('array', [4, 8, 1]);
    const number = small.fd;
    small.close();
    const large = create('array', [4, 65_536, 1]);
    expect(large.fd).toBe(number);
    // The kernel would write 65536 bytes into a buffer of 8.
    expect(closedError(() => small.lookup(u32Key(0), new Uint8Array(8)))).toBe('KERNEL_OBJECT_CLOSED');
    expect(closedError(() => small.release())).toBe('KERNEL_OBJECT_CLOSED');
    small.close();
    expect(large.get(u32Key(0))).toHaveLength(65_536);
  });

  test('a cgroup is closed once, however often', async () => {
    await using directory = new TestCgroup('closed-twice');
    const cgroup = Cgroup.open(directory.path);
    const number = cgroup.fd;
    cgroup.close();
    const map = create('array', [4, 8, 1]);
    expect(map.fd).toBe(number);
    cgroup[Symbol.dispose]();
    expect(map.get(u32Key(0))).toHaveLength(8);
  });

  test('global variables of a closed object are gone, and its programs', () => {
    const loaded = loadObject(readObject(compileFixture('collection'), 'collection.bpf.o'), {
      pinPath: null,
    });
    const mapped = loaded.variable('counter');
    expect(mapped.get()).toBeTypeOf('bigint');
    const { program } = loaded.program('look_around');
    loaded[Symbol.dispose]();
    expect(closedError(() => mapped.get())).toBe('KERNEL_OBJECT_CLOSED');
    expect(closedError(() => mapped.set(1n))).toBe('KERNEL_OBJECT_CLOSED');
    expect(closedError(() => loaded.variable('text').get())).toBe('KERNEL_OBJECT_CLOSED');
    expect(closedError(() => program.testRun({ data: new Uint8Array(64) }))).toBe('KERNEL_OBJECT_CLOSED');
    loaded[Symbol.dispose]();
  });

  test('what is attached to a sockmap comes off, though the map and the program were closed', () => {
    const sockets = create('sockmap', [4, 4, 1]);
    const loaded = loadObject(readObject(compileFixture('links'), 'links.bpf.o'), {
      programs: ({ name }) => name === 'on_sk_msg',
    });
    const program: BpfProgram = loaded.program('on_sk_msg').program;
    const attachment = attachToSockmap(program, sockets, ATTACH_TYPE['sk-msg-verdict']);
    sockets.close();
    loaded[Symbol.dispose]();
    expect(() => attachment[Symbol.dispose]()).not.toThrow();
  });
});

describe('memory that is shared with the kernel', () => {
  test('a view that outlives it reads zeros', () => {
    const map = create('array', [4, 4096, 1], MAP_FLAG.mappable);
    map.update(u32Key(0), new Uint8Array(4096).fill(7));
    const memory = map.mapMemory();
    const view = new Uint8Array(memory.buffer);
    expect(view[0]).toBe(7);
    memory[Symbol.dispose]();
    expect(view[0]).toBe(0);
    view[0] = 9;
    expect(map.get(u32Key(0))?.[0]).toBe(7);
    expect(closedError(() => memory.buffer)).toBe('KERNEL_OBJECT_CLOSED');
  });

  test('is given back once: the next at its address stays', () => {
    const map = create('array', [4, 4096, 1], MAP_FLAG.mappable);
    map.update(u32Key(0), new Uint8Array(4096).fill(7));
    const first = map.mapMemory();
    first[Symbol.dispose]();
    using second = map.mapMemory();
    first[Symbol.dispose]();
    expect(new Uint8Array(second.buffer)[0]).toBe(7);
  });
});

test('an arena that faults where nothing was allocated gets no variables from this process', () => {
  const object = readObject(compileFixture('arena-counter'), 'arena-counter.bpf.o');
  const maps = object.maps.map((map) => ({ ...map, flags: map.flags | MAP_FLAG.segvOnFault }));
  expect(thrownBy(() => loadObject({ ...object, maps })).code).toBe('OBJECT_UNSUPPORTED');
});

describe('readers', () => {
  test('of a ring buffer go on when its map is closed, paused or not', async () => {
    const map = ring();
    using reader = new RingBuffer(map, () => {});
    map.close();
    await sleep(20);
    reader.pause();
    reader.resume();
    await sleep(20);
    expect(reader.state().usedBytes).toBe(0);
  });

  test('two may watch one map', async () => {
    const map = ring();
    using one = new RingBuffer(map, () => {});
    using two = new RingBuffer(map, () => {});
    await sleep(20);
    expect([one.drain(), two.drain()]).toEqual([0, 0]);
  });

  test('may be paused and resumed after their end', async () => {
    const reader = new RingBuffer(ring(), () => {});
    reader[Symbol.dispose]();
    reader.pause();
    reader.resume();
    await sleep(20);
    expect(reader.drain()).toBe(0);
  });

  test('of a perf event array end after its map', () => {
    const map = create('perfEventArray', [4, 4, possibleCpuCount()]);
    const reader = new PerfBuffer(map, () => {});
    map.close();
    expect(() => reader[Symbol.dispose]()).not.toThrow();
  });

  test('take no map of another kind', () => {
    const user = create('userRingbuf', [0, 0, 4096]);
    const array = create('array', [4, 8, 4096], MAP_FLAG.mappable);
    const codes = [
      () => new RingBuffer(user, () => {}),
      () => new RingBuffer(array, () => {}),
      // Its producer's page is not this process's to write.
      () => new UserRingBuffer(ring()),
    ].map((make) => thrownBy(make).code);
    expect(codes).toEqual(['MAP_INCOMPATIBLE', 'MAP_INCOMPATIBLE', 'MAP_INCOMPATIBLE']);
  });
});

import { once } from 'node:events';
import { mkdirSync, rmdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { BtfBuilder, MAP_TYPE, type MapDefinition } from '../../engine/bytecode/index.js';
import { loadProbe } from '../../engine/kernel/features/probe-program.js';
import {
  BpfMap,
  Cgroup,
  cgroupRoot,
  descriptorBytes,
  loadBtf,
  lpmKey,
  MAP_FLAG,
  type MapCreate,
  networkKey,
  openProcess,
  possibleCpuCount,
  ResourceStack,
  UPDATE_FLAG,
  u32Key,
  unpin,
} from '../../engine/kernel/index.js';
import { thrownBy } from '../policies/policy-text.js';

let resources = new ResourceStack();
afterEach(() => {
  resources[Symbol.dispose]();
  resources = new ResourceStack();
});

const create = (overrides: Partial<MapCreate>) =>
  resources.use(
    BpfMap.create({
      name: 'sample',
      type: MAP_TYPE.hash,
      keySize: 4,
      valueSize: 8,
      maxEntries: 8,
      flags: 0,
      ...overrides,
    }),
  );

const bytes = (value: number, byteLength = 8) => {
  const out = new Uint8Array(byteLength);
  new DataView(out.buffer).setUint32(0, value, true);
  return out;
};
const number = (value: Uint8Array | undefined) =>
  value === undefined ? undefined : new DataView(value.buffer, value.byteOffset).getUint32(0, true);

/** Type 1 is the int of a descriptor, type 2 the value: maps of storage must say both. */
function storageBtf() {
  const builder = new BtfBuilder();
  const int = { kind: 'int', encoding: 0, bitOffset: 0 } as const;
  builder.add({ ...int, name: 'int', byteSize: 4, encoding: 1, bitSize: 32 });
  builder.add({ ...int, name: 'unsigned long long', byteSize: 8, bitSize: 64 });
  return resources.use(loadBtf(builder.build()));
}

const KEYED = [
  { name: 'hash', definition: { type: MAP_TYPE.hash } },
  {
    name: 'hash without preallocation',
    definition: { type: MAP_TYPE.hash, flags: MAP_FLAG.noPreallocation },
  },
  { name: 'LRU hash', definition: { type: MAP_TYPE.lruHash, maxEntries: 20_000 } },
  { name: 'per-CPU hash', definition: { type: MAP_TYPE.percpuHash } },
  { name: 'per-CPU LRU hash', definition: { type: MAP_TYPE.lruPercpuHash, maxEntries: 20_000 } },
  {
    name: 'LPM trie',
    definition: { type: MAP_TYPE.lpmTrie, keySize: 8, flags: MAP_FLAG.noPreallocation },
  },
] as const;

describe.each(KEYED)('$name', ({ definition }) => {
  const COUNT = 1000;
  const keySize = 'keySize' in definition ? definition.keySize : 4;
  const keyOf = (index: number) => {
    if (keySize === 4) return u32Key(index);
    const data = new Uint8Array(4);
    new DataView(data.buffer).setUint32(0, index);
    return lpmKey(data, 32);
  };
  const map = () => create({ maxEntries: COUNT, ...definition });
  const filledValue = (each: BpfMap, index: number) => {
    const value = new Uint8Array(each.valueBytes);
    for (let at = 0; at < value.byteLength; at += 8) new DataView(value.buffer).setUint32(at, index, true);
    return value;
  };
  const fill = (each: BpfMap) => {
    each.updateMany(
      Array.from({ length: COUNT }, (_, index) => [keyOf(index), filledValue(each, index)] as const),
    );
    return each;
  };
  const name = (key: Uint8Array) => Buffer.from(key).toString('hex');
  const allNames = () => new Set(Array.from({ length: COUNT }, (_, index) => name(keyOf(index))));

  test('many elements go in, are walked once each with their values, and go out', () => {
    const filled = fill(map());
    const seen = [...filled.entries()];
    expect(seen).toHaveLength(COUNT);
    expect(new Set(seen.map(([key]) => name(key)))).toEqual(allNames());
    for (const [key, value] of seen) expect(value).toEqual(filled.get(key));
    expect(filled.deleteMany([...Array(COUNT + 5).keys()].map(keyOf))).toBe(COUNT);
    expect([...filled.entries()]).toEqual([]);
  });

  test('a walk that deletes what it is given still gives every element', () => {
    const filled = fill(map());
    const seen: string[] = [];
    for (const [key] of filled.entries()) {
      filled.delete(key);
      seen.push(name(key));
    }
    expect(seen).toHaveLength(COUNT);
    expect(new Set(seen)).toEqual(allNames());
  });

  test('a walk over elements that others delete gives none twice and misses none that stays', () => {
    const filled = fill(map());
    const seen: string[] = [];
    const gone = new Set<string>();
    for (const [key] of filled.entries()) {
      seen.push(name(key));
      const victim = (seen.length * 7) % COUNT;
      if (seen.length % 3 === 0 && filled.delete(keyOf(victim))) gone.add(name(keyOf(victim)));
    }
    expect(new Set(seen).size).toBe(seen.length);
    for (const each of allNames()) if (!gone.has(each)) expect(seen).toContain(each);
  });

  test('drain takes each element exactly once', () => {
    const filled = fill(map());
    const seen = [...filled.drain()].map(([key]) => name(key));
    expect(new Set(seen)).toEqual(allNames());
    expect(seen).toHaveLength(COUNT);
    expect([...filled.keys()]).toEqual([]);
  });
});

describe('BpfMap by type', () => {
  test('an array is walked and set by batches', () => {
    const map = create({ type: MAP_TYPE.array, maxEntries: 100 });
    map.updateMany(Array.from({ length: 100 }, (_, index) => [u32Key(index), bytes(index + 1)] as const));
    expect([...map.entries()].map(([key, value]) => [number(key), number(value)])).toEqual(
      Array.from({ length: 100 }, (_, index) => [index, index + 1]),
    );
  });

  test('creates only, replaces only', () => {
    const map = create({});
    expect(thrownBy(() => map.update(u32Key(1), bytes(1), UPDATE_FLAG.replaceOnly))).toMatchObject({
      details: { errnoName: 'ENOENT' },
    });
    map.update(u32Key(1), bytes(1), UPDATE_FLAG.createOnly);
    expect(thrownBy(() => map.updateMany([[u32Key(1), bytes(2)]], UPDATE_FLAG.createOnly))).toMatchObject({
      details: { errnoName: 'EEXIST' },
    });
    expect(number(map.get(u32Key(1)))).toBe(1);
  });

  test('takes an element out in one step', () => {
    const map = create({});
    map.update(u32Key(1), bytes(7));
    expect(number(map.lookupAndDelete(u32Key(1)))).toBe(7);
    expect(map.lookupAndDelete(u32Key(1))).toBeUndefined();
  });

  test('a batch of a size of its own is refused before the kernel reads past it', () => {
    const map = create({});
    expect(thrownBy(() => map.updateMany([[u32Key(1), new Uint8Array(7)]])).code).toBe('MAP_ELEMENT_SIZE');
    expect(thrownBy(() => map.deleteMany([new Uint8Array(5)])).code).toBe('MAP_ELEMENT_SIZE');
    expect(thrownBy(() => map.nextKey(new Uint8Array(3))).code).toBe('MAP_ELEMENT_SIZE');
    expect(thrownBy(() => map.lookup(u32Key(1), new Uint8Array(4))).code).toBe('MAP_ELEMENT_SIZE');
  });

  test('per-CPU values come one for each CPU, of odd sizes too', () => {
    const map = create({ type: MAP_TYPE.percpuHash, valueSize: 5 });
    const values = Array.from({ length: possibleCpuCount() }, (_, cpu) => new Uint8Array(5).fill(cpu + 1));
    map.updatePerCpu(u32Key(1), values);
    expect(map.getPerCpu(u32Key(1))).toEqual(values);
    expect(thrownBy(() => map.updatePerCpu(u32Key(1), values.slice(1))).code).toBe('MAP_ELEMENT_SIZE');
    expect(
      thrownBy(() =>
        map.updatePerCpu(
          u32Key(1),
          values.map(() => new Uint8Array(8)),
        ),
      ).code,
    ).toBe('MAP_ELEMENT_SIZE');
  });

  test('a queue gives the oldest, a stack the newest', () => {
    for (const [type, order] of [
      [MAP_TYPE.queue, [1, 2, 3]],
      [MAP_TYPE.stack, [3, 2, 1]],
    ] as const) {
      const map = create({ type, keySize: 0, maxEntries: 3 });
      for (const value of [1, 2, 3]) map.push(bytes(value));
      expect(thrownBy(() => map.push(bytes(4)))).toMatchObject({ details: { errnoName: 'E2BIG' } });
      expect(number(map.peek())).toBe(order[0]);
      expect([map.pop(), map.pop(), map.pop()].map(number)).toEqual(order);
      expect(map.pop()).toBeUndefined();
    }
  });

  test('a full queue makes room if asked', () => {
    const map = create({ type: MAP_TYPE.queue, keySize: 0, maxEntries: 2 });
    for (const value of [1, 2, 3]) map.push(bytes(value), { replaceOldest: true });
    expect([map.pop(), map.pop()].map(number)).toEqual([2, 3]);
  });

  test('a bloom filter is sure of what it does not hold', () => {
    const map = create({ type: MAP_TYPE.bloomFilter, keySize: 0, maxEntries: 100, mapExtra: 3n });
    map.push(bytes(42));
    expect(map.mayContain(bytes(42))).toBe(true);
    expect(map.mayContain(bytes(43))).toBe(false);
    expect(map.info().mapExtra).toBe(3n);
  });

  test('an LPM trie gives the longest prefix', () => {
    const map = create({ type: MAP_TYPE.lpmTrie, keySize: 8, flags: MAP_FLAG.noPreallocation });
    map.update(networkKey('10.0.0.0/8'), bytes(8));
    map.update(networkKey('10.1.0.0/16'), bytes(16));
    expect(number(map.get(networkKey('10.1.2.3')))).toBe(16);
    expect(number(map.get(networkKey('10.2.2.3')))).toBe(8);
    expect(map.get(networkKey('11.2.2.3'))).toBeUndefined();
  });

  test.each([
    { name: 'array of maps', type: MAP_TYPE.arrayOfMaps },
    { name: 'hash of maps', type: MAP_TYPE.hashOfMaps },
  ])('$name holds maps', ({ type }) => {
    const inner = create({ name: 'inner' });
    const outer = create({ type, valueSize: 4, innerMap: inner });
    outer.updateObject(u32Key(3), inner);
    inner.update(u32Key(1), bytes(5));
    expect(outer.objectIdAt(u32Key(3))).toBe(inner.id());
    using found = outer.innerMapAt(u32Key(3));
    expect(number(found?.get(u32Key(1)))).toBe(5);
    expect(outer.innerMapAt(u32Key(4))).toBeUndefined();
    expect([...outer.entries()].map(([key]) => number(key))).toEqual([3]);
  });

  test('a program array holds programs, a cgroup array cgroups', () => {
    const programs = create({ type: MAP_TYPE.progArray, valueSize: 4 });
    const program = resources.use(loadProbe({}));
    programs.updateObject(u32Key(2), program);
    expect(programs.objectIdAt(u32Key(2))).toBe(program.info().id);
    expect(programs.delete(u32Key(2))).toBe(true);
    expect(programs.objectIdAt(u32Key(2))).toBeUndefined();
    const cgroups = create({ type: MAP_TYPE.cgroupArray, valueSize: 4 });
    cgroups.updateObject(u32Key(0), resources.use(Cgroup.open(cgroupRoot())));
  });

  test('a map of sockets takes a socket by its descriptor', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    resources.use({ [Symbol.dispose]: () => server.close() });
    // Node keeps the descriptor in the handle, which its types leave out.
    const { _handle: handle } = server as unknown as { _handle: { fd: number } };
    const sockets = create({ type: MAP_TYPE.sockmap, valueSize: 8 });
    const value = bytes(handle.fd);
    sockets.update(u32Key(1), value);
    expect(number(sockets.get(u32Key(1)))).toBeGreaterThan(0);
    expect(sockets.delete(u32Key(1))).toBe(true);
  });

  test('storage is keyed by a task and by a cgroup', () => {
    const btf = storageBtf();
    const tasks = create({
      type: MAP_TYPE.taskStorage,
      maxEntries: 0,
      flags: MAP_FLAG.noPreallocation,
      btf: { fd: btf.fd, keyTypeId: 1, valueTypeId: 2 },
    });
    const self = resources.use(openProcess(process.pid));
    expect(tasks.get(descriptorBytes(self))).toBeUndefined();
    tasks.update(descriptorBytes(self), bytes(9));
    expect(number(tasks.get(descriptorBytes(self)))).toBe(9);
    expect(tasks.delete(descriptorBytes(self))).toBe(true);

    const path = join(cgroupRoot(), `vespid-storage-${process.pid}`);
    mkdirSync(path);
    resources.use({ [Symbol.dispose]: () => rmdirSync(path) });
    const cgroup = resources.use(Cgroup.open(path));
    const cgroups = create({
      type: MAP_TYPE.cgrpStorage,
      maxEntries: 0,
      flags: MAP_FLAG.noPreallocation,
      btf: { fd: btf.fd, keyTypeId: 1, valueTypeId: 2 },
    });
    cgroups.update(descriptorBytes(cgroup), bytes(11));
    expect(number(cgroups.get(descriptorBytes(cgroup)))).toBe(11);
  });

  test('memory of an array is what lookups see, until it is frozen for writing', () => {
    const map = create({ type: MAP_TYPE.array, flags: MAP_FLAG.mappable, maxEntries: 3, valueSize: 12 });
    {
      using memory = map.mapMemory();
      new DataView(memory.buffer).setUint32(2 * 16, 77, true);
    }
    expect(number(map.get(u32Key(2)))).toBe(77);
    map.freeze();
    expect(thrownBy(() => map.mapMemory())).toMatchObject({ details: { errnoName: 'EPERM' } });
    using readable = map.mapMemory({ writable: false });
    expect(new DataView(readable.buffer).getUint32(2 * 16, true)).toBe(77);
    expect(thrownBy(() => create({}).mapMemory()).code).toBe('KERNEL_UNSUPPORTED');
  });

  test('an arena is memory', () => {
    const map = create({
      type: MAP_TYPE.arena,
      keySize: 0,
      valueSize: 0,
      maxEntries: 4,
      flags: MAP_FLAG.mappable,
    });
    using memory = map.mapMemory();
    const words = new Uint32Array(memory.buffer);
    words[1024] = 5;
    expect(words[1024]).toBe(5);
    expect(memory.buffer.byteLength).toBe(4 * 4096);
  });

  test('information and id lead back to the map', () => {
    const map = create({ name: 'found_by_id' });
    const info = map.info();
    expect(info).toMatchObject({ name: 'found_by_id', keySize: 4, valueSize: 8, maxEntries: 8, btfId: 0 });
    using again = BpfMap.openById(info.id);
    expect(again.definition).toEqual({ ...map.definition });
    map.update(u32Key(1), bytes(3));
    expect(number(again.get(u32Key(1)))).toBe(3);
  });

  test('an id that nothing has is gone', () => {
    expect(thrownBy(() => BpfMap.openById(0x7fff_fff0)).code).toBe('KERNEL_OBJECT_GONE');
  });
});

describe('pins', () => {
  const PATH = `/sys/fs/bpf/vespid-test-${process.pid}`;
  const pinned = () => {
    const map = create({ name: 'a_rather_long_map_name' });
    map.pin(PATH);
    resources.use({ [Symbol.dispose]: () => void unpin(PATH) });
    return map;
  };

  test('a pinned map is opened again, if it is of the form expected', () => {
    const map = pinned();
    map.update(u32Key(1), bytes(4));
    map.close();
    using again = BpfMap.openPinned(PATH, map.definition);
    expect(again.definition).toEqual(map.definition);
    expect(number(again.get(u32Key(1)))).toBe(4);
    using _anyForm = BpfMap.openPinned(PATH);
  });

  test.each<{ name: string; other: Partial<MapDefinition> }>([
    { name: 'type', other: { type: MAP_TYPE.lruHash } },
    { name: 'keySize', other: { keySize: 8 } },
    { name: 'valueSize', other: { valueSize: 4 } },
    { name: 'maxEntries', other: { maxEntries: 9 } },
    { name: 'flags', other: { flags: MAP_FLAG.noPreallocation } },
  ])('another $name is a mismatch that is named', ({ name, other }) => {
    const map = pinned();
    const error = thrownBy(() => BpfMap.openPinned(PATH, { ...map.definition, ...other }));
    expect(error.code).toBe('PIN_MISMATCH');
    expect(error.message).toContain(name);
  });

  test('a path that is taken, and one where nothing is', () => {
    const map = pinned();
    expect(thrownBy(() => map.pin(PATH)).code).toBe('PIN_EXISTS');
    expect(unpin(PATH)).toBe(true);
    expect(unpin(PATH)).toBe(false);
    expect(thrownBy(() => BpfMap.openPinned(PATH)).code).toBe('PIN_NOT_FOUND');
  });
});

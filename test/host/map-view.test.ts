import { afterEach, describe, expect, test } from 'vitest';
import { Btf, BtfBuilder, bytesCodec, type Codec, MAP_TYPE } from '../../engine/bytecode/index.js';
import {
  BpfMap,
  btfMapView,
  MapView,
  perCpuCodec,
  possibleCpuCount,
  ResourceStack,
} from '../../engine/kernel/index.js';
import { thrownBy } from '../policies/policy-text.js';

let resources = new ResourceStack();
afterEach(() => {
  resources[Symbol.dispose]();
  resources = new ResourceStack();
});

const create = (type: number, valueSize: number) =>
  resources.use(BpfMap.create({ name: 'typed', type, keySize: 4, valueSize, maxEntries: 8, flags: 0 }));

const u32: Codec<number> = {
  byteSize: 4,
  encode: (value, target) => new DataView(target.buffer, target.byteOffset).setUint32(0, value, true),
  decode: (bytes) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true),
};

/** `u32` and `struct event { int pid; unsigned type; char comm[16]; }` */
function eventTypes() {
  const builder = new BtfBuilder();
  const int = (name: string, byteSize: number, encoding: number) =>
    builder.add({ kind: 'int', name, byteSize, encoding, bitOffset: 0, bitSize: byteSize * 8 });
  const keyTypeId = int('unsigned int', 4, 0);
  const pid = int('int', 4, 1);
  const char = int('char', 1, 1);
  const comm = builder.add({ kind: 'array', elementTypeId: char, indexTypeId: keyTypeId, count: 16 });
  const valueTypeId = builder.add({
    kind: 'struct',
    name: 'event',
    byteSize: 24,
    members: [
      { name: 'pid', typeId: pid, bitOffset: 0, bitFieldSize: 0 },
      { name: 'type', typeId: keyTypeId, bitOffset: 32, bitFieldSize: 0 },
      { name: 'comm', typeId: comm, bitOffset: 64, bitFieldSize: 0 },
    ],
  });
  return { btf: new Btf(builder.build(), 'event'), keyTypeId, valueTypeId };
}

describe('MapView', () => {
  test('sets, gets, walks and deletes JavaScript values', () => {
    const view = new MapView(create(MAP_TYPE.hash, 4), u32, u32);
    view.setMany([
      [1, 10],
      [2, 20],
    ]);
    view.set(3, 30);
    expect([view.get(2), view.get(4), view.has(1), view.has(4)]).toEqual([20, undefined, true, false]);
    expect(new Map(view)).toEqual(
      new Map([
        [1, 10],
        [2, 20],
        [3, 30],
      ]),
    );
    expect(view.lookupAndDelete(1)).toBe(10);
    expect(view.delete(1)).toBe(false);
    expect([...view.keys()].sort()).toEqual([2, 3]);
    expect(new Map(view.drain())).toEqual(
      new Map([
        [2, 20],
        [3, 30],
      ]),
    );
    expect([...view]).toEqual([]);
  });

  test('by BTF, a value is an object', () => {
    const { btf, ...ids } = eventTypes();
    const view = btfMapView(create(MAP_TYPE.hash, 24), btf, ids);
    view.set(7, { pid: -1, type: 2, comm: 'sleep' });
    expect(view.get(7)).toEqual({ pid: -1, type: 2, comm: 'sleep' });
  });

  test('by BTF, a per-CPU value is an array of objects', () => {
    const { btf, ...ids } = eventTypes();
    const view = btfMapView(create(MAP_TYPE.percpuArray, 24), btf, ids);
    const values = Array.from({ length: possibleCpuCount() }, (_, pid) => ({
      pid,
      type: 1,
      comm: `cpu${pid}`,
    }));
    view.set(0, values);
    expect(view.get(0)).toEqual(values);
  });

  test('a codec of another size, or a value for too few CPUs, is refused', () => {
    expect(thrownBy(() => new MapView(create(MAP_TYPE.hash, 8), u32, u32)).code).toBe('MAP_ELEMENT_SIZE');
    expect(thrownBy(() => new MapView(create(MAP_TYPE.hash, 4), bytesCodec(8), u32)).code).toBe(
      'MAP_ELEMENT_SIZE',
    );
    const perCpu = new MapView(create(MAP_TYPE.percpuHash, 4), u32, perCpuCodec(u32));
    expect(thrownBy(() => perCpu.set(1, [])).code).toBe('MAP_ELEMENT_SIZE');
  });
});

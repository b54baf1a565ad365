import assert from 'node:assert/strict';
import { MAP_TYPE, PROGRAM_TYPE } from '../../../engine/bytecode/index.js';
import {
  EXIT,
  encodeSlots,
  loadProbe,
  type RawSlot,
  setR0,
} from '../../../engine/kernel/features/probe-program.js';
import { BpfMap, lpmKey, MAP_FLAG, UPDATE_FLAG, u32Key } from '../../../engine/kernel/index.js';
import { guestTest } from './guest-test.js';

const SLOTS = 20_000;
const ELEMENTS = 500;

guestTest(
  'a verifier log of hundreds of kilobytes comes whole, whether the kernel says its size or not',
  {},
  () => {
    const slots: RawSlot[] = Array.from({ length: SLOTS }, (_, index) => setR0(index));
    const instructions = encodeSlots([...slots, [0xbf, 0, 6, 0, 0], EXIT]);
    assert.throws(
      () => loadProbe({ type: PROGRAM_TYPE.syscall, sleepable: true, instructions }),
      (error: { code: string; log: string; message: string; details: { slotIndex: number } }) => {
        assert.equal(error.code, 'PROGRAM_REFUSED');
        assert.match(error.message, /: R6 !read_ok$/);
        assert.equal(error.details.slotIndex, SLOTS);
        assert.match(error.log, /^(.*\n)?0: /);
        for (const at of [1, SLOTS / 2, SLOTS - 1]) assert.ok(error.log.includes(`\n${at}: (b7) r0 = ${at}`));
        return true;
      },
    );
  },
);

for (const [name, type] of Object.entries({
  hash: MAP_TYPE.hash,
  lpmTrie: MAP_TYPE.lpmTrie,
  percpuHash: MAP_TYPE.percpuHash,
  array: MAP_TYPE.array,
})) {
  guestTest(`a map of type ${name} is filled, walked and emptied by many elements at once`, {}, () => {
    const isTrie = type === MAP_TYPE.lpmTrie;
    using map = BpfMap.create({
      name: 'sample',
      type,
      keySize: isTrie ? 8 : 4,
      valueSize: 8,
      maxEntries: ELEMENTS,
      flags: isTrie ? MAP_FLAG.noPreallocation : 0,
    });
    const keyOf = (index: number) => (isTrie ? lpmKey(u32Key(index), 32) : u32Key(index));
    const indexes = [...Array(ELEMENTS).keys()];
    map.updateMany(
      indexes.map((index) => [keyOf(index), new Uint8Array(map.valueBytes).fill(index & 0xff)] as const),
    );
    const names = (keys: Iterable<Uint8Array>) =>
      [...keys].map((key) => Buffer.from(key).toString('hex')).sort();
    const expected = names(indexes.map(keyOf));
    assert.deepEqual(names([...map.entries()].map(([key]) => key)), expected);
    if (type === MAP_TYPE.array) return;
    assert.equal(map.deleteMany([keyOf(0), keyOf(0), keyOf(1)]), 2);
    assert.deepEqual(names([...map.drain()].map(([key]) => key)), names(indexes.slice(2).map(keyOf)));
    assert.deepEqual([...map.keys()], []);
    map.update(keyOf(5), new Uint8Array(map.valueBytes), UPDATE_FLAG.createOnly);
    assert.equal(map.delete(keyOf(5)), true);
  });
}

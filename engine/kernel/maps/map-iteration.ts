import { MAP_TYPE } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { mapBatch } from '../commands/map-commands.js';
import { errnoName } from '../system/libc.js';
import { isUnsupportedBatch } from './batch-support.js';
import type { BpfMap } from './map.js';

export type MapEntry = readonly [key: Uint8Array, value: Uint8Array];

/**
 * Types whose batch goes on by position (bucket or index), not by the key before, so that a walk is not thrown
 * back when that key is deleted (`__htab_map_lookup_and_delete_batch`, kernel/bpf/hashtab.c).
 */
const POSITIONED: ReadonlySet<number> = new Set([
  MAP_TYPE.hash,
  MAP_TYPE.percpuHash,
  MAP_TYPE.lruHash,
  MAP_TYPE.lruPercpuHash,
  MAP_TYPE.hashOfMaps,
]);

/** Elements passed, as a multiple of what the map can hold, before a walk that is thrown back again and again ends. */
const MOST_ROUNDS = 8;
const SPARE_STEPS = 1000;

/** A bucket's or element's number, or else a key. */
const POSITION_BYTES = 4;

/** Elements asked for at once: large enough to spare calls, small enough for a page or two. */
const CHUNK = 256;

/**
 * Every element once. One that is there from the start to the end of the walk is given; one that comes or goes
 * meanwhile may be. The consumer may delete and add as it goes. Keys and values are the caller's to keep.
 */
export function* mapEntries(map: BpfMap): Generator<MapEntry, void, undefined> {
  if (POSITIONED.has(map.definition.type) && (yield* entriesByBatch(map, 'MAP_LOOKUP_BATCH'))) return;
  for (const key of mapKeys(map)) {
    const value = map.get(key);
    if (value !== undefined) yield [key, value];
  }
}

/**
 * Every key once, by BPF_MAP_GET_NEXT_KEY. When the key before is gone the kernel starts from the first again, so
 * those that were given are remembered.
 *
 * @throws VespidError MAP_WALK_ABORTED when the map changes faster than it can be walked
 */
export function* mapKeys(
  map: Pick<BpfMap, 'nextKey' | 'definition' | 'subject'>,
): Generator<Uint8Array, void, undefined> {
  const given = new Set<string>();
  const mostSteps = SPARE_STEPS + map.definition.maxEntries * MOST_ROUNDS;
  let next = map.nextKey(undefined);
  for (let steps = 0; next !== undefined; steps++) {
    if (steps > mostSteps) {
      throw new VespidError(
        'MAP_WALK_ABORTED',
        `${map.subject} was walked ${MOST_ROUNDS} times without an end`,
        {
          hint: 'programs change it all the time: walk it while they are detached, or use a hash map, which is read by batches',
        },
      );
    }
    const name = Buffer.from(next).toString('latin1');
    // Asked before the consumer may delete the key, so that its own deletes cost no restart.
    const following = map.nextKey(next);
    if (!given.has(name)) {
      given.add(name);
      yield next;
    }
    next = following;
  }
}

/**
 * The elements by batches; `MAP_LOOKUP_AND_DELETE_BATCH` takes them out as well. Gives false, having yielded
 * nothing, when this kernel has no such batch for the type.
 */
export function* entriesByBatch(
  map: BpfMap,
  command: 'MAP_LOOKUP_BATCH' | 'MAP_LOOKUP_AND_DELETE_BATCH',
): Generator<MapEntry, boolean, undefined> {
  const { keySize } = map.definition;
  let room = Math.min(CHUNK, Math.max(map.definition.maxEntries, 1));
  let position: Uint8Array | undefined;
  while (true) {
    const keys = new Uint8Array(room * keySize);
    const values = new Uint8Array(room * map.valueBytes);
    const outBatch = new Uint8Array(Math.max(keySize, POSITION_BYTES));
    const batch = { mapFd: map.fd, inBatch: position, outBatch, keys, values, count: room };
    const { result, count } = mapBatch(command, batch);
    const error = 'errno' in result ? errnoName(result.errno) : undefined;
    if (error === 'ENOSPC') {
      // One bucket alone has more elements than there is room.
      room *= 2;
      continue;
    }
    if ('errno' in result && error !== 'ENOENT') {
      if (position === undefined && isUnsupportedBatch(result.errno)) return false;
      throw map.error(command, result.errno);
    }
    for (let index = 0; index < count; index++) {
      yield [
        keys.subarray(index * keySize, (index + 1) * keySize),
        values.subarray(index * map.valueBytes, (index + 1) * map.valueBytes),
      ];
    }
    if (error === 'ENOENT') return true;
    position = outBatch;
  }
}

import { mapBatch } from '../commands/map-commands.js';
import { errnoName } from '../system/libc.js';
import { isUnsupportedBatch } from './batch-support.js';
import type { BpfMap } from './map.js';
import { entriesByBatch, type MapEntry, mapKeys } from './map-iteration.js';

/** Elements in one call: the kernel works them off with preemption points, but one copy of each argument. */
const CHUNK = 4096;

/**
 * Sets many elements with few calls; one by one where the kernel has no batch for the type.
 *
 * @throws VespidError MAP_ELEMENT_SIZE; KERNEL_CALL_FAILED: what stands before the element that failed is set
 */
export function updateMany(map: BpfMap, entries: Iterable<MapEntry>, flags: bigint): void {
  const { keySize } = map.definition;
  for (const chunk of chunksOf(entries, CHUNK)) {
    const keys = new Uint8Array(chunk.length * keySize);
    const values = new Uint8Array(chunk.length * map.valueBytes);
    for (const [index, [key, value]] of chunk.entries()) {
      map.checkElement(key, value);
      keys.set(key, index * keySize);
      values.set(value, index * map.valueBytes);
    }
    const batch = { mapFd: map.fd, keys, values, count: chunk.length, elementFlags: flags };
    const { result, count } = mapBatch('MAP_UPDATE_BATCH', batch);
    if ('value' in result) continue;
    if (!isUnsupportedBatch(result.errno)) throw map.error('MAP_UPDATE_BATCH', result.errno);
    // An update that is refused for its flags gives EINVAL as well; one by one it says so.
    for (const [key, value] of chunk.slice(doneBefore(count, chunk.length))) map.update(key, value, flags);
  }
}

/** A command that is not there leaves `count` as it was given. */
function doneBefore(count: number, given: number): number {
  return count === given ? 0 : count;
}

/**
 * Deletes many elements with few calls; one by one where the kernel has no batch for the type.
 *
 * @returns how many of the keys there were
 */
export function deleteMany(map: BpfMap, keys: Iterable<Uint8Array>): number {
  const { keySize } = map.definition;
  let deleted = 0;
  for (const chunk of chunksOf(keys, CHUNK)) {
    for (const key of chunk) map.checkElement(key);
    for (let at = 0; at < chunk.length; ) {
      const rest = chunk.slice(at);
      const packed = new Uint8Array(rest.length * keySize);
      for (const [index, key] of rest.entries()) packed.set(key, index * keySize);
      const { result, count } = mapBatch('MAP_DELETE_BATCH', {
        mapFd: map.fd,
        keys: packed,
        count: rest.length,
      });
      if ('value' in result) {
        deleted += rest.length;
        break;
      }
      if (isUnsupportedBatch(result.errno)) {
        deleted += rest.filter((key) => map.delete(key)).length;
        break;
      }
      if (errnoName(result.errno) !== 'ENOENT') throw map.error('MAP_DELETE_BATCH', result.errno);
      // The key at `count` was not there: step over it.
      deleted += count;
      at += count + 1;
    }
  }
  return deleted;
}

/**
 * Takes every element out; each is given exactly once. Batches where the kernel has them, else element by element
 * (of a type that cannot take out in one step, a change between the two steps is lost).
 */
export function* drain(map: BpfMap): Generator<MapEntry, void, undefined> {
  if (yield* entriesByBatch(map, 'MAP_LOOKUP_AND_DELETE_BATCH')) return;
  for (const key of mapKeys(map)) {
    const value = map.get(key);
    if (value !== undefined && map.delete(key)) yield [key, value];
  }
}

function* chunksOf<Item>(items: Iterable<Item>, most: number): Generator<Item[]> {
  let chunk: Item[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length < most) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

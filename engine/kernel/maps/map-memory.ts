import { MAP_TYPE } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { type MemoryMapping, mapMemory, pageBytes } from '../system/libc.js';
import type { BpfMap } from './map.js';
import { perCpuStride } from './map-shape.js';

/**
 * The memory of an array (BPF_F_MMAPABLE) or an arena, shared with the programs that use it: reads and writes cost
 * no call. Array values stand at multiples of 8 bytes. Use `Atomics` where programs write at the same time.
 *
 * The buffer must not be touched after the mapping is disposed of, and the map may be closed before it.
 *
 * @param fixedAddress where it must be: that of an arena which has one
 * @throws VespidError KERNEL_UNSUPPORTED for a map of another type, KERNEL_CALL_FAILED: EPERM for writing to one that
 *   is frozen, EINVAL for an array without BPF_F_MMAPABLE
 */
export function mapMemoryOf(map: BpfMap, writable: boolean, fixedAddress?: bigint): MemoryMapping {
  const { type, valueSize, maxEntries } = map.definition;
  const page = pageBytes();
  switch (type) {
    case MAP_TYPE.array: {
      const byteLength = perCpuStride(valueSize) * maxEntries;
      return mapMemory(map.fd, Math.ceil(byteLength / page) * page, 0, writable, fixedAddress);
    }
    case MAP_TYPE.arena:
      return mapMemory(map.fd, maxEntries * page, 0, writable, fixedAddress);
    default:
      throw new VespidError('KERNEL_UNSUPPORTED', `${map.subject}: only arrays and arenas can be mapped`, {
        hint: 'ring buffers have readers of their own',
      });
  }
}

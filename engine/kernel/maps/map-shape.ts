import { MAP_TYPE, type MapDefinition } from '../../bytecode/index.js';
import { possibleCpuCount } from '../system/possible-cpus.js';

/** Types whose value is one for every possible CPU. */
const PER_CPU: ReadonlySet<number> = new Set([
  MAP_TYPE.percpuHash,
  MAP_TYPE.percpuArray,
  MAP_TYPE.lruPercpuHash,
  MAP_TYPE.percpuCgroupStorage,
]);

/** Types whose value is a file descriptor on update and an id on lookup (`IS_FD_MAP`, kernel/bpf/syscall.c). */
const DESCRIPTORS: ReadonlySet<number> = new Set([
  MAP_TYPE.progArray,
  MAP_TYPE.perfEventArray,
  MAP_TYPE.cgroupArray,
  MAP_TYPE.arrayOfMaps,
  MAP_TYPE.hashOfMaps,
]);

/** Whether the type keeps one value for every possible CPU. */
export function isPerCpu(mapType: number): boolean {
  return PER_CPU.has(mapType);
}

/** The kernel lays per-CPU values out at multiples of 8 bytes. */
export function perCpuStride(valueSize: number): number {
  return Math.ceil(valueSize / 8) * 8;
}

/**
 * Bytes that the kernel reads or writes for one value, whatever the buffer has (`bpf_map_value_size`,
 * kernel/bpf/syscall.c).
 */
export function valueBytes({ type, valueSize }: Pick<MapDefinition, 'type' | 'valueSize'>): number {
  if (isPerCpu(type)) return perCpuStride(valueSize) * possibleCpuCount();
  return DESCRIPTORS.has(type) ? 4 : valueSize;
}

import { VespidError } from '../../errors/index.js';
import { possibleCpuCount } from '../system/possible-cpus.js';
import { perCpuStride } from './map-shape.js';

/**
 * The values of a per-CPU element, one for each possible CPU in their order.
 *
 * @param bytes what a lookup gave: every value at a multiple of 8 bytes
 * @returns views of `valueSize` bytes into `bytes`
 */
export function splitPerCpu(bytes: Uint8Array, valueSize: number): Uint8Array[] {
  const stride = perCpuStride(valueSize);
  return Array.from({ length: bytes.byteLength / stride }, (_, cpu) =>
    bytes.subarray(cpu * stride, cpu * stride + valueSize),
  );
}

/**
 * The bytes that an update of a per-CPU element takes.
 *
 * @param values one for each possible CPU
 * @throws VespidError MAP_ELEMENT_SIZE for another number of values, or a value of another size
 */
export function joinPerCpu(values: readonly Uint8Array[], valueSize: number): Uint8Array {
  const cpuCount = possibleCpuCount();
  if (values.length !== cpuCount) {
    throw new VespidError(
      'MAP_ELEMENT_SIZE',
      `expected ${cpuCount} values, one for each possible CPU, got ${values.length}`,
    );
  }
  const stride = perCpuStride(valueSize);
  const bytes = new Uint8Array(stride * cpuCount);
  for (const [cpu, value] of values.entries()) {
    if (value.byteLength !== valueSize) {
      throw new VespidError(
        'MAP_ELEMENT_SIZE',
        `expected values of ${valueSize} bytes, got ${value.byteLength} for CPU ${cpu}`,
      );
    }
    bytes.set(value, cpu * stride);
  }
  return bytes;
}

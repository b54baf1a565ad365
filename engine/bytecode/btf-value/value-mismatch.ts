import { VespidError } from '../../errors/index.js';

/** @param where the member: `event.comm[3]` */
export function mismatch(where: string, expected: string, value: unknown): VespidError {
  return new VespidError('BTF_VALUE_MISMATCH', `${where}: expected ${expected}, got ${describe(value)}`);
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return value !== null && typeof value === 'object' ? 'an object' : `${typeof value} ${String(value)}`;
}

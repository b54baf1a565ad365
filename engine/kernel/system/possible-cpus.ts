import { readFileSync } from 'node:fs';

let counted: number | undefined;

/**
 * How many values a per-CPU map has: one for every CPU that may ever be there, on line or not
 * (/sys/devices/system/cpu/possible).
 */
export function possibleCpuCount(): number {
  counted ??= countCpus(readFileSync('/sys/devices/system/cpu/possible', 'utf8'));
  return counted;
}

/** CPUs in a list of the kernel's form: `0-3`, `0,2-5`. */
export function countCpus(list: string): number {
  let count = 0;
  for (const range of list.trim().split(',')) {
    const [first, last = first] = range.split('-').map(Number);
    if (first !== undefined && last !== undefined) count += last - first + 1;
  }
  return count;
}

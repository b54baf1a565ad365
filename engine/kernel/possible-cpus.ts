import { readFileSync } from 'node:fs';

let counted: number | undefined;

/**
 * How many values a per-CPU map has: one for every CPU that may ever be there, /sys/devices/system/cpu/possible
 * (`0-3`, `0,2-5`), whether on line or not.
 */
export function possibleCpuCount(): number {
  if (counted === undefined) {
    const last = readFileSync('/sys/devices/system/cpu/possible', 'utf8').trim().split(/[,-]/).at(-1);
    counted = Number(last) + 1;
  }
  return counted;
}

import { readFileSync } from 'node:fs';

/**
 * CLOCK_BOOTTIME in nanoseconds, the clock of records and tickets. Node's `process.hrtime` is CLOCK_MONOTONIC, which
 * stands still during suspend; /proc/uptime counts suspend too, in hundredths of a second, rounded down.
 */
export function bootTimeNs(): bigint {
  const [uptime = '0'] = readFileSync('/proc/uptime', 'utf8').split(' ');
  return BigInt(Math.round(Number(uptime) * 100)) * 10_000_000n;
}

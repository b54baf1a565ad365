import { readlinkSync } from 'node:fs';

/** PROC_PID_INIT_INO of include/linux/proc_ns.h: the pid namespace that the machine started with. */
const INITIAL = 'pid:[4026531836]';

/** Whether process ids here are those that BPF programs see. */
export function isInitialPidNamespace(): boolean {
  return readlinkSync('/proc/self/ns/pid') === INITIAL;
}

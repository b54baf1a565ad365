import { readlinkSync } from 'node:fs';

/** The namespaces that the machine started with: PROC_PID_INIT_INO, PROC_CGROUP_INIT_INO of include/linux/proc_ns.h. */
const INITIAL = { pid: 'pid:[4026531836]', cgroup: 'cgroup:[4026531835]' } as const;

/** Whether process ids, or cgroup paths, are here those that BPF programs see. */
export function isInitialNamespace(kind: keyof typeof INITIAL): boolean {
  return readlinkSync(`/proc/self/ns/${kind}`) === INITIAL[kind];
}

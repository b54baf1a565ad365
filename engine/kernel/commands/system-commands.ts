import { ENABLE_STATS, TASK_FD_QUERY, TOKEN_CREATE } from './attribute-layout.js';
import { Attributes } from './attributes.js';
import { bpf } from './bpf-command.js';

/** BPF_ENABLE_STATS for run times; the value is a descriptor that keeps the counting on. */
export function enableStatistics(): number {
  return bpf('ENABLE_STATS', new Attributes(4).u32(ENABLE_STATS.type, 0), 'run-time statistics');
}

/** BPF_TOKEN_CREATE (kernel 6.9) from a bpffs that was mounted with `delegate_*` options, in its user namespace. */
export function createToken(bpffsFd: number): number {
  return bpf('TOKEN_CREATE', new Attributes(8).u32(TOKEN_CREATE.bpffs_fd, bpffsFd), 'a token');
}

export interface TaskFdQuery {
  readonly programId: number;
  /** enum bpf_task_fd_type: raw tracepoint, tracepoint, kprobe, kretprobe, uprobe, uretprobe. */
  readonly fdType: number;
  /** Tracepoint, symbol or file. */
  readonly name: string;
  readonly probeOffset: bigint;
  readonly probeAddress: bigint;
}

/** PATH_MAX, the longest name that the kernel gives for a uprobe. */
const LONGEST_NAME_BYTES = 4096;

/** BPF_TASK_FD_QUERY: which BPF program is behind a perf event of a process. */
export function queryTaskFd(pid: number, fd: number): TaskFdQuery {
  const name = new Uint8Array(LONGEST_NAME_BYTES);
  const attributes = new Attributes(48)
    .u32(TASK_FD_QUERY.pid, pid)
    .u32(TASK_FD_QUERY.fd, fd)
    .u32(TASK_FD_QUERY.buf_len, name.byteLength)
    .pointer(TASK_FD_QUERY.buf, name);
  bpf('TASK_FD_QUERY', attributes, `descriptor ${fd} of process ${pid}`);
  return {
    programId: attributes.readU32(TASK_FD_QUERY.prog_id),
    fdType: attributes.readU32(TASK_FD_QUERY.fd_type),
    name: new TextDecoder().decode(name.subarray(0, name.indexOf(0))),
    probeOffset: attributes.readU64(TASK_FD_QUERY.probe_offset),
    probeAddress: attributes.readU64(TASK_FD_QUERY.probe_addr),
  };
}

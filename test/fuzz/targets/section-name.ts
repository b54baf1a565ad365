import { parseSectionName } from '../../../engine/bytecode/index.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { mutateText } from '../mutation/mutate-text.js';

const NAMES = [
  'lsm/file_open',
  'lsm.s/bprm_check_security',
  'tp_btf/sched_switch',
  'tp/syscalls/sys_enter_openat',
  'raw_tp/sched_switch',
  'cgroup/connect4',
  'cgroup_skb/ingress',
  'kprobe/do_unlinkat+0x10',
  'kprobe.multi/tcp_*',
  'uprobe//usr/lib/libc.so.6:malloc+8',
  'uretprobe.s//bin/bash:readline',
  'usdt//usr/bin/node:node:gc__start',
  'fentry/tcp_v4_connect',
  'fmod_ret/bpf_modify_return_test',
  'freplace/handler',
  'iter.s/task',
  'xdp.frags/devmap',
  'tcx/ingress',
  'netkit/peer',
  'sk_reuseport/migrate',
  'struct_ops.s/ssthresh',
  'syscall',
  '?raw_tp/optional',
  '.text',
  '__proto__/constructor',
];

export const sectionName: FuzzTarget = {
  name: 'section-name',
  codes: ['OBJECT_SECTION_UNKNOWN'],
  seeds: () => NAMES.map((name) => new TextEncoder().encode(name)),
  mutate: (random, seed, seeds) => {
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return new TextEncoder().encode(mutateText(random, decode(seed), seeds.map(decode)));
  },
  run: (input) => {
    parseSectionName(new TextDecoder().decode(input));
  },
};

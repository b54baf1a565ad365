import {
  ATTACH_TYPE,
  type AttachTypeName,
  PROGRAM_TYPE,
  type ProgramTypeName,
} from '../../bytecode/index.js';
import type { FeatureProbe } from './feature.js';
import { returning, tryLoad } from './probe-program.js';

/**
 * Attach types that the kernel checks when a program is loaded (`bpf_prog_load_check_attach`, kernel/bpf/syscall.c)
 * and that came later than their program type.
 */
const ATTACH_TYPES: Readonly<
  Partial<
    Record<
      AttachTypeName,
      { readonly since: string; readonly programType: ProgramTypeName; readonly config: readonly string[] }
    >
  >
> = {
  'cgroup-inet4-post-bind': cgroup('4.17', 'cgroup-sock'),
  'cgroup-udp4-sendmsg': cgroup('4.18', 'cgroup-sock-addr'),
  'cgroup-udp4-recvmsg': cgroup('5.2', 'cgroup-sock-addr'),
  'cgroup-getsockopt': cgroup('5.3', 'cgroup-sockopt'),
  'cgroup-inet4-getpeername': cgroup('5.8', 'cgroup-sock-addr'),
  'cgroup-inet4-getsockname': cgroup('5.8', 'cgroup-sock-addr'),
  'cgroup-inet-sock-release': cgroup('5.9', 'cgroup-sock'),
  'sk-reuseport-select-or-migrate': { since: '5.14', programType: 'sk-reuseport', config: ['CONFIG_INET'] },
  'cgroup-unix-connect': cgroup('6.7', 'cgroup-sock-addr'),
  'cgroup-unix-sendmsg': cgroup('6.7', 'cgroup-sock-addr'),
};

function cgroup(since: string, programType: ProgramTypeName) {
  return { since, programType, config: ['CONFIG_CGROUP_BPF'] };
}

export const ATTACH_TYPE_PROBES: readonly FeatureProbe[] = Object.entries(ATTACH_TYPES).map(
  ([name, { since, programType, config }]) => ({
    name: `attach/${name}`,
    since,
    config,
    attempt: () =>
      tryLoad({
        type: PROGRAM_TYPE[programType],
        // The cast undoes Object.entries' widening.
        expectedAttachType: ATTACH_TYPE[name as AttachTypeName],
        // Some of these may say nothing but yes.
        instructions: returning(1),
      }),
  }),
);

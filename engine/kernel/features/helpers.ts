import {
  ATTACH_TYPE,
  HELPER,
  type HelperName,
  PROGRAM_TYPE,
  type ProgramTypeName,
} from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import type { ProgramLoad } from '../programs/program.js';
import { type Feature, type FeatureProbe, missing, tryFeature } from './feature.js';
import { EXIT, encodeSlots, setR0, tryLoad } from './probe-program.js';

/**
 * What the verifier says of a helper that the kernel does not have at all, or not for the program type. Any other
 * objection (to the arguments, of which the probe gives none) says that the helper is there.
 */
const UNKNOWN_HELPER = /invalid func |unknown func |program of this type cannot use helper /;

/**
 * Whether programs of that type may call the helper: a program that calls it with nothing set up is loaded, and the
 * verifier's objection read.
 *
 * @throws VespidError KERNEL_UNSUPPORTED when they may not
 */
export function tryHelper(helper: HelperName, programType: ProgramTypeName): void {
  const call = encodeSlots([[0x85, 0, 0, 0, HELPER[helper]], setR0(0), EXIT]);
  try {
    tryLoad({ type: PROGRAM_TYPE[programType], instructions: call, ...ATTACH_TYPES[programType] });
  } catch (error) {
    if (!(error instanceof VespidError) || error.code !== 'PROGRAM_REFUSED') throw error;
    const objection = UNKNOWN_HELPER.exec(error.log ?? '');
    if (objection === null) return;
    throw missing(`a ${programType} program cannot call bpf_${helper}`);
  }
}

/** Types that the verifier takes only with an attach type. */
const ATTACH_TYPES: Readonly<Partial<Record<ProgramTypeName, Partial<ProgramLoad>>>> = {
  'cgroup-sock-addr': { expectedAttachType: ATTACH_TYPE['cgroup-inet4-connect'] },
  'cgroup-sockopt': { expectedAttachType: ATTACH_TYPE['cgroup-getsockopt'] },
  'sk-lookup': { expectedAttachType: ATTACH_TYPE['sk-lookup'] },
  netfilter: { expectedAttachType: ATTACH_TYPE.netfilter },
  syscall: { sleepable: true },
};

export type HelperAvailability = Omit<Feature, 'since'>;

const helperResults = new Map<string, HelperAvailability>();

/**
 * Whether programs of a type may call a helper on this kernel; found out once per process.
 *
 * @param programType one that loads without an attach target
 */
export function probeHelper(helper: HelperName, programType: ProgramTypeName): HelperAvailability {
  const key = `${programType}/${helper}`;
  const known = helperResults.get(key);
  if (known !== undefined) return known;
  const { available, reason } = tryFeature('', () => tryHelper(helper, programType));
  const result = { available, reason };
  helperResults.set(key, result);
  return result;
}

/** Helpers that decide what a program can do at all, in a type that has them. */
const HELPERS: readonly {
  readonly helper: HelperName;
  readonly programType: ProgramTypeName;
  readonly since: string;
  readonly config?: readonly string[];
}[] = [
  { helper: 'send_signal', programType: 'tracepoint', since: '5.3' },
  { helper: 'probe_read_kernel', programType: 'tracepoint', since: '5.5' },
  { helper: 'get_netns_cookie', programType: 'cgroup-sock-addr', since: '5.7' },
  { helper: 'ringbuf_output', programType: 'socket-filter', since: '5.8' },
  { helper: 'sk_assign', programType: 'sched-cls', since: '5.7', config: ['CONFIG_INET'] },
  { helper: 'redirect_neigh', programType: 'sched-cls', since: '5.10' },
  { helper: 'copy_from_user', programType: 'syscall', since: '5.14' },
  { helper: 'for_each_map_elem', programType: 'tracepoint', since: '5.13' },
  { helper: 'snprintf', programType: 'tracepoint', since: '5.13' },
  { helper: 'sys_bpf', programType: 'syscall', since: '5.14' },
  { helper: 'timer_init', programType: 'socket-filter', since: '5.15' },
  { helper: 'get_attach_cookie', programType: 'tracepoint', since: '5.15' },
  { helper: 'find_vma', programType: 'tracepoint', since: '5.17' },
  { helper: 'loop', programType: 'socket-filter', since: '5.17' },
  { helper: 'strncmp', programType: 'socket-filter', since: '5.17' },
  { helper: 'xdp_load_bytes', programType: 'xdp', since: '5.18' },
  { helper: 'kptr_xchg', programType: 'socket-filter', since: '5.19' },
  { helper: 'dynptr_from_mem', programType: 'socket-filter', since: '5.19' },
  { helper: 'ktime_get_tai_ns', programType: 'socket-filter', since: '6.1' },
  { helper: 'user_ringbuf_drain', programType: 'socket-filter', since: '6.1' },
  { helper: 'cgrp_storage_get', programType: 'tracepoint', since: '6.2', config: ['CONFIG_CGROUPS'] },
];

export const HELPER_PROBES: readonly FeatureProbe[] = HELPERS.map(
  ({ helper, programType, since, config = [] }) => ({
    name: `helper/${helper}`,
    since,
    config,
    attempt: () => tryHelper(helper, programType),
  }),
);

import { ATTACH_TYPE, PROGRAM_TYPE, type ProgramTypeName, skipModifiers } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import type { ProgramLoad } from '../programs/program.js';
import { attachTargetId, vmlinuxBtf } from '../types/vmlinux-btf.js';
import { type FeatureProbe, missing } from './feature.js';
import { onTrampoline, returning, tryLoad } from './probe-program.js';

interface ProgramTypeRow {
  readonly since: string;
  readonly config?: readonly string[];
  readonly onTrampoline?: boolean;
  /** What the type needs besides itself. */
  readonly load?: () => Partial<ProgramLoad>;
  readonly attempt?: () => void;
}

const NET = ['CONFIG_NET'];
const CGROUP = ['CONFIG_CGROUP_BPF'];

/** Every program type, by the kernel that brought it and the options behind it (include/linux/bpf_types.h). */
const PROGRAM_TYPES: Readonly<Record<Exclude<ProgramTypeName, 'unspec'>, ProgramTypeRow>> = {
  'socket-filter': { since: '3.19', config: NET },
  kprobe: { since: '4.1', config: ['CONFIG_BPF_EVENTS'] },
  'sched-cls': { since: '4.1', config: NET },
  'sched-act': { since: '4.1', config: NET },
  tracepoint: { since: '4.7', config: ['CONFIG_BPF_EVENTS'] },
  xdp: { since: '4.8', config: NET },
  'perf-event': { since: '4.9', config: ['CONFIG_BPF_EVENTS'] },
  'cgroup-skb': { since: '4.10', config: CGROUP },
  'cgroup-sock': { since: '4.10', config: CGROUP },
  'lwt-in': { since: '4.10', config: NET },
  'lwt-out': { since: '4.10', config: NET },
  'lwt-xmit': { since: '4.10', config: NET },
  'sock-ops': { since: '4.13', config: NET },
  'sk-skb': { since: '4.14', config: NET },
  'cgroup-device': { since: '4.15', config: CGROUP },
  'sk-msg': { since: '4.17', config: NET },
  'raw-tracepoint': { since: '4.17', config: ['CONFIG_BPF_EVENTS'] },
  'cgroup-sock-addr': {
    since: '4.17',
    config: CGROUP,
    load: () => ({
      expectedAttachType: ATTACH_TYPE['cgroup-inet4-connect'],
      instructions: returning(1),
    }),
  },
  'lwt-seg6local': { since: '4.18', config: NET },
  'lirc-mode2': { since: '4.18', config: ['CONFIG_BPF_LIRC_MODE2'] },
  'sk-reuseport': { since: '4.19', config: ['CONFIG_INET'] },
  'flow-dissector': { since: '4.20', config: NET },
  'cgroup-sysctl': { since: '5.2', config: CGROUP },
  'raw-tracepoint-writable': { since: '5.2', config: ['CONFIG_BPF_EVENTS'] },
  'cgroup-sockopt': {
    since: '5.3',
    config: CGROUP,
    load: () => ({ expectedAttachType: ATTACH_TYPE['cgroup-setsockopt'], instructions: returning(1) }),
  },
  tracing: {
    since: '5.5',
    config: ['CONFIG_BPF_EVENTS', 'CONFIG_DEBUG_INFO_BTF'],
    load: () => ({
      expectedAttachType: ATTACH_TYPE['trace-raw-tp'],
      attachBtfId: attachTargetId({ kind: 'typedef', name: 'btf_trace_sched_process_exec' }),
    }),
  },
  'struct-ops': {
    since: '5.6',
    config: ['CONFIG_BPF_JIT', 'CONFIG_DEBUG_INFO_BTF', 'CONFIG_INET'],
    load: congestionControlMember,
  },
  ext: {
    since: '5.6',
    config: ['CONFIG_BPF_JIT', 'CONFIG_DEBUG_INFO_BTF'],
    onTrampoline: true,
    attempt: () =>
      onTrampoline(() =>
        expectRefusal(/Cannot replace kernel functions/, PROGRAM_TYPE.ext, { attachBtfId: 1 }),
      ),
  },
  lsm: {
    since: '5.7',
    config: ['CONFIG_BPF_LSM', 'CONFIG_DEBUG_INFO_BTF'],
    onTrampoline: true,
    load: () => ({
      expectedAttachType: ATTACH_TYPE['lsm-mac'],
      attachBtfId: attachTargetId({ kind: 'function', name: 'bpf_lsm_file_open' }),
    }),
  },
  'sk-lookup': {
    since: '5.9',
    config: ['CONFIG_INET'],
    load: () => ({ expectedAttachType: ATTACH_TYPE['sk-lookup'] }),
  },
  syscall: { since: '5.14', load: () => ({ sleepable: true }) },
  netfilter: {
    since: '6.4',
    config: ['CONFIG_NETFILTER_BPF_LINK'],
    load: () => ({ expectedAttachType: ATTACH_TYPE.netfilter }),
  },
};

/** `ssthresh` of TCP's congestion control, which takes any number for an answer. */
function congestionControlMember(): Partial<ProgramLoad> {
  const btf = vmlinuxBtf();
  const attachBtfId = attachTargetId({ kind: 'struct', name: 'tcp_congestion_ops' });
  const struct = btf.type(skipModifiers(btf, attachBtfId));
  const members = 'members' in struct ? struct.members : [];
  return { attachBtfId, expectedAttachType: members.findIndex(({ name }) => name === 'ssthresh') };
}

/** A type whose probe would need a target: the verifier's objection to having none says that it knows the type. */
function expectRefusal(objection: RegExp, type: number, load: Partial<ProgramLoad>): void {
  try {
    tryLoad({ ...load, type });
  } catch (error) {
    if (error instanceof VespidError && objection.test(error.log ?? '')) return;
    throw error;
  }
  throw missing('the kernel accepts what it was to refuse');
}

export const PROGRAM_TYPE_PROBES: readonly FeatureProbe[] = Object.entries(PROGRAM_TYPES).map(
  ([typeName, { since, config = [], onTrampoline: needsTrampoline = false, load, attempt }]) => {
    // The cast undoes Object.entries' widening: the record has exactly these keys.
    const type = PROGRAM_TYPE[typeName as ProgramTypeName];
    const tryType = () => tryLoad({ type, ...load?.() });
    return {
      name: `program/${typeName}`,
      since,
      config,
      onTrampoline: needsTrampoline,
      attempt: attempt ?? (needsTrampoline ? () => onTrampoline(tryType) : tryType),
    };
  },
);

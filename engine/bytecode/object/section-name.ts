import { VespidError } from '../../errors/index.js';
import { ATTACH_TYPE, type AttachTypeName, PROGRAM_TYPE, type ProgramTypeName } from './program-type.js';

/** What the section name of a program says about loading and attaching it. */
export interface SectionMeaning {
  readonly programTypeName: ProgramTypeName;
  /** enum bpf_prog_type */
  readonly programType: number;
  /** enum bpf_attach_type: BPF_PROG_LOAD's expected_attach_type, 0 where the kernel ignores it. */
  readonly attachType: number;
  /** What follows the first slash: a hook, a function, `category/name` of a tracepoint; null if nothing. */
  readonly attachTarget: string | null;
  /** The kernel type whose BTF id is BPF_PROG_LOAD's attach_btf_id; null for programs that need none. */
  readonly attachBtf: { readonly kind: 'function' | 'typedef'; readonly name: string } | null;
  /** BPF_F_SLEEPABLE */
  readonly sleepable: boolean;
  /** BPF_F_XDP_HAS_FRAGS */
  readonly hasFragments: boolean;
  /** False for `?section`: loaded only where the user asks for it. */
  readonly isLoadedByDefault: boolean;
}

interface Convention {
  readonly programType: ProgramTypeName;
  readonly attachType?: AttachTypeName;
  /** Whether a slash and a target may follow; without one, the loader's caller gives it. */
  readonly mayHaveTarget?: true;
  /** The kernel's BTF name is this prefix with the target. */
  readonly btf?: { readonly prefix: string; readonly kind: 'function' | 'typedef' };
  readonly sleepable?: true;
  readonly hasFragments?: true;
}

const FUNCTION = { prefix: '', kind: 'function' } as const;
const LSM = { prefix: 'bpf_lsm_', kind: 'function' } as const;
const RAW_TRACEPOINT = { prefix: 'btf_trace_', kind: 'typedef' } as const;
const ITERATOR = { prefix: 'bpf_iter_', kind: 'function' } as const;

const tracing = (attachType: AttachTypeName, btf: Convention['btf'], sleepable = false): Convention => ({
  programType: 'tracing',
  attachType,
  mayHaveTarget: true,
  ...(btf === undefined ? {} : { btf }),
  ...(sleepable ? { sleepable } : {}),
});
const probe = (attachType?: AttachTypeName, sleepable = false): Convention => ({
  programType: 'kprobe',
  mayHaveTarget: true,
  ...(attachType === undefined ? {} : { attachType }),
  ...(sleepable ? { sleepable } : {}),
});
const plain = (programType: ProgramTypeName, attachType?: AttachTypeName): Convention =>
  attachType === undefined ? { programType } : { programType, attachType };
const targeted = (programType: ProgramTypeName): Convention => ({ programType, mayHaveTarget: true });
const xdp = (attachType: AttachTypeName): Convention => ({ programType: 'xdp', attachType });
const address = (attachType: AttachTypeName): Convention => plain('cgroup-sock-addr', attachType);

/** libbpf's section names (Documentation/bpf/libbpf/program_types.rst). */
const CONVENTIONS: Readonly<Record<string, Convention>> = {
  socket: plain('socket-filter'),
  'sk_reuseport/migrate': plain('sk-reuseport', 'sk-reuseport-select-or-migrate'),
  sk_reuseport: plain('sk-reuseport', 'sk-reuseport-select'),
  kprobe: probe(),
  kretprobe: probe(),
  ksyscall: probe(),
  kretsyscall: probe(),
  uprobe: probe(),
  'uprobe.s': probe(undefined, true),
  uretprobe: probe(),
  'uretprobe.s': probe(undefined, true),
  usdt: probe(),
  'usdt.s': probe(undefined, true),
  'kprobe.multi': probe('trace-kprobe-multi'),
  'kretprobe.multi': probe('trace-kprobe-multi'),
  'kprobe.session': probe('trace-kprobe-session'),
  'uprobe.multi': probe('trace-uprobe-multi'),
  'uprobe.multi.s': probe('trace-uprobe-multi', true),
  'uretprobe.multi': probe('trace-uprobe-multi'),
  'uretprobe.multi.s': probe('trace-uprobe-multi', true),
  'uprobe.session': probe('trace-uprobe-session'),
  'uprobe.session.s': probe('trace-uprobe-session', true),
  tc: plain('sched-cls'),
  classifier: plain('sched-cls'),
  action: plain('sched-act'),
  'tc/ingress': plain('sched-cls', 'tcx-ingress'),
  'tc/egress': plain('sched-cls', 'tcx-egress'),
  'tcx/ingress': plain('sched-cls', 'tcx-ingress'),
  'tcx/egress': plain('sched-cls', 'tcx-egress'),
  'netkit/primary': plain('sched-cls', 'netkit-primary'),
  'netkit/peer': plain('sched-cls', 'netkit-peer'),
  tracepoint: targeted('tracepoint'),
  tp: targeted('tracepoint'),
  raw_tracepoint: targeted('raw-tracepoint'),
  raw_tp: targeted('raw-tracepoint'),
  'raw_tracepoint.w': targeted('raw-tracepoint-writable'),
  'raw_tp.w': targeted('raw-tracepoint-writable'),
  tp_btf: tracing('trace-raw-tp', RAW_TRACEPOINT),
  fentry: tracing('trace-fentry', FUNCTION),
  'fentry.s': tracing('trace-fentry', FUNCTION, true),
  fexit: tracing('trace-fexit', FUNCTION),
  'fexit.s': tracing('trace-fexit', FUNCTION, true),
  fmod_ret: tracing('modify-return', FUNCTION),
  'fmod_ret.s': tracing('modify-return', FUNCTION, true),
  iter: tracing('trace-iter', ITERATOR),
  'iter.s': tracing('trace-iter', ITERATOR, true),
  // The target is a function of another program, not of the kernel.
  freplace: targeted('ext'),
  lsm: { programType: 'lsm', attachType: 'lsm-mac', mayHaveTarget: true, btf: LSM },
  'lsm.s': { programType: 'lsm', attachType: 'lsm-mac', mayHaveTarget: true, btf: LSM, sleepable: true },
  lsm_cgroup: { programType: 'lsm', attachType: 'lsm-cgroup', mayHaveTarget: true, btf: LSM },
  syscall: { programType: 'syscall', sleepable: true },
  xdp: xdp('xdp'),
  'xdp.frags': { ...xdp('xdp'), hasFragments: true },
  'xdp/devmap': xdp('xdp-devmap'),
  'xdp.frags/devmap': { ...xdp('xdp-devmap'), hasFragments: true },
  'xdp/cpumap': xdp('xdp-cpumap'),
  'xdp.frags/cpumap': { ...xdp('xdp-cpumap'), hasFragments: true },
  perf_event: plain('perf-event'),
  lwt_in: plain('lwt-in'),
  lwt_out: plain('lwt-out'),
  lwt_xmit: plain('lwt-xmit'),
  lwt_seg6local: plain('lwt-seg6local'),
  sockops: plain('sock-ops', 'cgroup-sock-ops'),
  'sk_skb/stream_parser': plain('sk-skb', 'sk-skb-stream-parser'),
  'sk_skb/stream_verdict': plain('sk-skb', 'sk-skb-stream-verdict'),
  'sk_skb/verdict': plain('sk-skb', 'sk-skb-verdict'),
  sk_skb: plain('sk-skb'),
  sk_msg: plain('sk-msg', 'sk-msg-verdict'),
  lirc_mode2: plain('lirc-mode2', 'lirc-mode2'),
  flow_dissector: plain('flow-dissector', 'flow-dissector'),
  sk_lookup: plain('sk-lookup', 'sk-lookup'),
  netfilter: plain('netfilter', 'netfilter'),
  'cgroup_skb/ingress': plain('cgroup-skb', 'cgroup-inet-ingress'),
  'cgroup_skb/egress': plain('cgroup-skb', 'cgroup-inet-egress'),
  'cgroup/skb': plain('cgroup-skb'),
  'cgroup/sock_create': plain('cgroup-sock', 'cgroup-inet-sock-create'),
  'cgroup/sock_release': plain('cgroup-sock', 'cgroup-inet-sock-release'),
  'cgroup/sock': plain('cgroup-sock', 'cgroup-inet-sock-create'),
  'cgroup/post_bind4': plain('cgroup-sock', 'cgroup-inet4-post-bind'),
  'cgroup/post_bind6': plain('cgroup-sock', 'cgroup-inet6-post-bind'),
  'cgroup/bind4': address('cgroup-inet4-bind'),
  'cgroup/bind6': address('cgroup-inet6-bind'),
  'cgroup/connect4': address('cgroup-inet4-connect'),
  'cgroup/connect6': address('cgroup-inet6-connect'),
  'cgroup/connect_unix': address('cgroup-unix-connect'),
  'cgroup/sendmsg4': address('cgroup-udp4-sendmsg'),
  'cgroup/sendmsg6': address('cgroup-udp6-sendmsg'),
  'cgroup/sendmsg_unix': address('cgroup-unix-sendmsg'),
  'cgroup/recvmsg4': address('cgroup-udp4-recvmsg'),
  'cgroup/recvmsg6': address('cgroup-udp6-recvmsg'),
  'cgroup/recvmsg_unix': address('cgroup-unix-recvmsg'),
  'cgroup/getpeername4': address('cgroup-inet4-getpeername'),
  'cgroup/getpeername6': address('cgroup-inet6-getpeername'),
  'cgroup/getpeername_unix': address('cgroup-unix-getpeername'),
  'cgroup/getsockname4': address('cgroup-inet4-getsockname'),
  'cgroup/getsockname6': address('cgroup-inet6-getsockname'),
  'cgroup/getsockname_unix': address('cgroup-unix-getsockname'),
  'cgroup/sysctl': plain('cgroup-sysctl', 'cgroup-sysctl'),
  'cgroup/getsockopt': plain('cgroup-sockopt', 'cgroup-getsockopt'),
  'cgroup/setsockopt': plain('cgroup-sockopt', 'cgroup-setsockopt'),
  'cgroup/dev': plain('cgroup-device', 'cgroup-device'),
};

/**
 * What libbpf's `SEC("…")` conventions say about a section name.
 * @throws VespidError OBJECT_SECTION_UNKNOWN
 */
export function parseSectionName(section: string): SectionMeaning {
  const isLoadedByDefault = !section.startsWith('?');
  const name = isLoadedByDefault ? section : section.slice(1);
  const exact = Object.hasOwn(CONVENTIONS, name) ? CONVENTIONS[name] : undefined;
  if (exact !== undefined) return meaningOf(exact, null, isLoadedByDefault);
  const slash = name.indexOf('/');
  const prefix = name.slice(0, Math.max(slash, 0));
  const convention = Object.hasOwn(CONVENTIONS, prefix) ? CONVENTIONS[prefix] : undefined;
  const target = name.slice(slash + 1);
  if (convention?.mayHaveTarget === true && target !== '') {
    return meaningOf(convention, target, isLoadedByDefault);
  }
  throw new VespidError('OBJECT_SECTION_UNKNOWN', `section name ${section} says no known program type`, {
    hint: 'use a name of libbpf, for example lsm/file_open, tp_btf/sched_switch or cgroup/connect4',
    details: { section },
  });
}

function meaningOf(
  convention: Convention,
  target: string | null,
  isLoadedByDefault: boolean,
): SectionMeaning {
  const { programType, attachType, btf } = convention;
  return {
    programTypeName: programType,
    programType: PROGRAM_TYPE[programType],
    attachType: attachType === undefined ? 0 : ATTACH_TYPE[attachType],
    attachTarget: target,
    attachBtf: btf === undefined || target === null ? null : { kind: btf.kind, name: btf.prefix + target },
    sleepable: convention.sleepable ?? false,
    hasFragments: convention.hasFragments ?? false,
    isLoadedByDefault,
  };
}

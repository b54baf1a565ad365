import type { AttachTypeName, ProgramTypeName } from './program-type.js';

/** What a section name of libbpf's means. */
export interface SectionConvention {
  /** The name, or what stands before the slash of one with a target. */
  readonly name: string;
  /** Whether `name/target` is meant as well. Without a target, the loader's caller gives it. */
  readonly mayHaveTarget: boolean;
  readonly programType: ProgramTypeName;
  readonly attachType: AttachTypeName | undefined;
  /** What the target is for BPF_PROG_LOAD; undefined for programs that are not loaded for one. */
  readonly btf: BtfTarget | undefined;
  readonly sleepable: boolean;
  readonly hasFragments: boolean;
}

/** The kernel's BTF name of a target is the prefix with the target; `program` is a function of another program. */
export interface BtfTarget {
  readonly prefix: string;
  readonly kind: 'function' | 'typedef' | 'program';
}

const FUNCTION: BtfTarget = { prefix: '', kind: 'function' };
const LSM: BtfTarget = { prefix: 'bpf_lsm_', kind: 'function' };
const RAW_TRACEPOINT: BtfTarget = { prefix: 'btf_trace_', kind: 'typedef' };
const ITERATOR: BtfTarget = { prefix: 'bpf_iter_', kind: 'function' };
const PROGRAM: BtfTarget = { prefix: '', kind: 'program' };

/** `section`, or as libbpf writes it, `section+`: with or without a target. */
function convention(
  pattern: string,
  programType: ProgramTypeName,
  attachType?: AttachTypeName,
  more: Partial<Pick<SectionConvention, 'btf' | 'sleepable' | 'hasFragments'>> = {},
): SectionConvention {
  const mayHaveTarget = pattern.endsWith('+');
  return {
    name: mayHaveTarget ? pattern.slice(0, -1) : pattern,
    mayHaveTarget,
    programType,
    attachType,
    btf: undefined,
    sleepable: false,
    hasFragments: false,
    ...more,
  };
}

const SLEEPABLE = { sleepable: true };
const FRAGMENTS = { hasFragments: true };

/**
 * libbpf's section names, and its table's order (`section_defs` of tools/lib/bpf/libbpf.c as of 1.5, which
 * Documentation/bpf/libbpf/program_types.rst lists; uprobe.session is of 1.6).
 */
export const SECTION_CONVENTIONS: readonly SectionConvention[] = [
  convention('socket', 'socket-filter'),
  convention('sk_reuseport/migrate', 'sk-reuseport', 'sk-reuseport-select-or-migrate'),
  convention('sk_reuseport', 'sk-reuseport', 'sk-reuseport-select'),
  convention('kprobe+', 'kprobe'),
  convention('uprobe+', 'kprobe'),
  convention('uprobe.s+', 'kprobe', undefined, SLEEPABLE),
  convention('kretprobe+', 'kprobe'),
  convention('uretprobe+', 'kprobe'),
  convention('uretprobe.s+', 'kprobe', undefined, SLEEPABLE),
  convention('kprobe.multi+', 'kprobe', 'trace-kprobe-multi'),
  convention('kretprobe.multi+', 'kprobe', 'trace-kprobe-multi'),
  convention('kprobe.session+', 'kprobe', 'trace-kprobe-session'),
  convention('uprobe.multi+', 'kprobe', 'trace-uprobe-multi'),
  convention('uretprobe.multi+', 'kprobe', 'trace-uprobe-multi'),
  convention('uprobe.session+', 'kprobe', 'trace-uprobe-session'),
  convention('uprobe.multi.s+', 'kprobe', 'trace-uprobe-multi', SLEEPABLE),
  convention('uretprobe.multi.s+', 'kprobe', 'trace-uprobe-multi', SLEEPABLE),
  convention('uprobe.session.s+', 'kprobe', 'trace-uprobe-session', SLEEPABLE),
  convention('ksyscall+', 'kprobe'),
  convention('kretsyscall+', 'kprobe'),
  convention('usdt+', 'kprobe'),
  convention('usdt.s+', 'kprobe', undefined, SLEEPABLE),
  convention('tc/ingress', 'sched-cls', 'tcx-ingress'),
  convention('tc/egress', 'sched-cls', 'tcx-egress'),
  convention('tcx/ingress', 'sched-cls', 'tcx-ingress'),
  convention('tcx/egress', 'sched-cls', 'tcx-egress'),
  convention('tc', 'sched-cls'),
  convention('classifier', 'sched-cls'),
  convention('action', 'sched-act'),
  convention('netkit/primary', 'sched-cls', 'netkit-primary'),
  convention('netkit/peer', 'sched-cls', 'netkit-peer'),
  convention('tracepoint+', 'tracepoint'),
  convention('tp+', 'tracepoint'),
  convention('raw_tracepoint+', 'raw-tracepoint'),
  convention('raw_tp+', 'raw-tracepoint'),
  convention('raw_tracepoint.w+', 'raw-tracepoint-writable'),
  convention('raw_tp.w+', 'raw-tracepoint-writable'),
  convention('tp_btf+', 'tracing', 'trace-raw-tp', { btf: RAW_TRACEPOINT }),
  convention('fentry+', 'tracing', 'trace-fentry', { btf: FUNCTION }),
  convention('fmod_ret+', 'tracing', 'modify-return', { btf: FUNCTION }),
  convention('fexit+', 'tracing', 'trace-fexit', { btf: FUNCTION }),
  convention('fentry.s+', 'tracing', 'trace-fentry', { btf: FUNCTION, sleepable: true }),
  convention('fmod_ret.s+', 'tracing', 'modify-return', { btf: FUNCTION, sleepable: true }),
  convention('fexit.s+', 'tracing', 'trace-fexit', { btf: FUNCTION, sleepable: true }),
  convention('freplace+', 'ext', undefined, { btf: PROGRAM }),
  convention('lsm+', 'lsm', 'lsm-mac', { btf: LSM }),
  convention('lsm.s+', 'lsm', 'lsm-mac', { btf: LSM, sleepable: true }),
  convention('lsm_cgroup+', 'lsm', 'lsm-cgroup', { btf: LSM }),
  convention('iter+', 'tracing', 'trace-iter', { btf: ITERATOR }),
  convention('iter.s+', 'tracing', 'trace-iter', { btf: ITERATOR, sleepable: true }),
  convention('syscall', 'syscall', undefined, SLEEPABLE),
  convention('xdp.frags/devmap', 'xdp', 'xdp-devmap', FRAGMENTS),
  convention('xdp/devmap', 'xdp', 'xdp-devmap'),
  convention('xdp.frags/cpumap', 'xdp', 'xdp-cpumap', FRAGMENTS),
  convention('xdp/cpumap', 'xdp', 'xdp-cpumap'),
  convention('xdp.frags', 'xdp', 'xdp', FRAGMENTS),
  convention('xdp', 'xdp', 'xdp'),
  convention('perf_event', 'perf-event'),
  convention('lwt_in', 'lwt-in'),
  convention('lwt_out', 'lwt-out'),
  convention('lwt_xmit', 'lwt-xmit'),
  convention('lwt_seg6local', 'lwt-seg6local'),
  convention('sockops', 'sock-ops', 'cgroup-sock-ops'),
  convention('sk_skb/stream_parser', 'sk-skb', 'sk-skb-stream-parser'),
  convention('sk_skb/stream_verdict', 'sk-skb', 'sk-skb-stream-verdict'),
  convention('sk_skb/verdict', 'sk-skb', 'sk-skb-verdict'),
  convention('sk_skb', 'sk-skb'),
  convention('sk_msg', 'sk-msg', 'sk-msg-verdict'),
  convention('lirc_mode2', 'lirc-mode2', 'lirc-mode2'),
  convention('flow_dissector', 'flow-dissector', 'flow-dissector'),
  convention('cgroup_skb/ingress', 'cgroup-skb', 'cgroup-inet-ingress'),
  convention('cgroup_skb/egress', 'cgroup-skb', 'cgroup-inet-egress'),
  convention('cgroup/skb', 'cgroup-skb'),
  convention('cgroup/sock_create', 'cgroup-sock', 'cgroup-inet-sock-create'),
  convention('cgroup/sock_release', 'cgroup-sock', 'cgroup-inet-sock-release'),
  convention('cgroup/sock', 'cgroup-sock', 'cgroup-inet-sock-create'),
  convention('cgroup/post_bind4', 'cgroup-sock', 'cgroup-inet4-post-bind'),
  convention('cgroup/post_bind6', 'cgroup-sock', 'cgroup-inet6-post-bind'),
  convention('cgroup/bind4', 'cgroup-sock-addr', 'cgroup-inet4-bind'),
  convention('cgroup/bind6', 'cgroup-sock-addr', 'cgroup-inet6-bind'),
  convention('cgroup/connect4', 'cgroup-sock-addr', 'cgroup-inet4-connect'),
  convention('cgroup/connect6', 'cgroup-sock-addr', 'cgroup-inet6-connect'),
  convention('cgroup/connect_unix', 'cgroup-sock-addr', 'cgroup-unix-connect'),
  convention('cgroup/sendmsg4', 'cgroup-sock-addr', 'cgroup-udp4-sendmsg'),
  convention('cgroup/sendmsg6', 'cgroup-sock-addr', 'cgroup-udp6-sendmsg'),
  convention('cgroup/sendmsg_unix', 'cgroup-sock-addr', 'cgroup-unix-sendmsg'),
  convention('cgroup/recvmsg4', 'cgroup-sock-addr', 'cgroup-udp4-recvmsg'),
  convention('cgroup/recvmsg6', 'cgroup-sock-addr', 'cgroup-udp6-recvmsg'),
  convention('cgroup/recvmsg_unix', 'cgroup-sock-addr', 'cgroup-unix-recvmsg'),
  convention('cgroup/getpeername4', 'cgroup-sock-addr', 'cgroup-inet4-getpeername'),
  convention('cgroup/getpeername6', 'cgroup-sock-addr', 'cgroup-inet6-getpeername'),
  convention('cgroup/getpeername_unix', 'cgroup-sock-addr', 'cgroup-unix-getpeername'),
  convention('cgroup/getsockname4', 'cgroup-sock-addr', 'cgroup-inet4-getsockname'),
  convention('cgroup/getsockname6', 'cgroup-sock-addr', 'cgroup-inet6-getsockname'),
  convention('cgroup/getsockname_unix', 'cgroup-sock-addr', 'cgroup-unix-getsockname'),
  convention('cgroup/sysctl', 'cgroup-sysctl', 'cgroup-sysctl'),
  convention('cgroup/getsockopt', 'cgroup-sockopt', 'cgroup-getsockopt'),
  convention('cgroup/setsockopt', 'cgroup-sockopt', 'cgroup-setsockopt'),
  convention('cgroup/dev', 'cgroup-device', 'cgroup-device'),
  convention('struct_ops+', 'struct-ops'),
  convention('struct_ops.s+', 'struct-ops', undefined, SLEEPABLE),
  convention('sk_lookup', 'sk-lookup', 'sk-lookup'),
  convention('netfilter', 'netfilter', 'netfilter'),
];

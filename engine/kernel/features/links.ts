import { ATTACH_TYPE, PROGRAM_TYPE } from '../../bytecode/index.js';
import { LINK_CREATE_FAMILY } from '../commands/attribute-layout.js';
import { cString } from '../commands/attributes.js';
import { createLink, type LinkCreateAttributes, openRawTracepoint } from '../commands/link-commands.js';
import type { ProgramLoad } from '../programs/program.js';
import { OwnedFd } from '../system/owned-fd.js';
import { attachTargetId, vmlinuxBtf } from '../types/vmlinux-btf.js';
import { expectErrno, type FeatureProbe, missing } from './feature.js';
import { loadProbe, onTrampoline, returning } from './probe-program.js';

/** No descriptor and no interface has this number. */
const NOWHERE = 0xffff_ffff;

/**
 * Tries to attach where nothing is: a kernel that knows the family says that there is nothing (`errno`), one that
 * does not says EINVAL.
 */
function attachNowhere(
  errno: string,
  load: Partial<ProgramLoad>,
  link: Partial<LinkCreateAttributes>,
  family?: Parameters<typeof createLink>[2],
): void {
  using program = loadProbe(load);
  const attributes = { fd: program.fd, target: NOWHERE, attachType: 0, flags: 0, ...link };
  expectErrno(errno, () => new OwnedFd(createLink(attributes, 'a probe', family)).close());
}

/** For families that cannot be tried without attaching: the function behind them, which a stub replaces if not. */
function expectKernelFunction(name: string): void {
  if (vmlinuxBtf().idsByName(name, 'function').length > 0) return;
  throw missing(`this kernel has no function ${name}`);
}

const BTF = 'CONFIG_DEBUG_INFO_BTF';

export const LINK_PROBES: readonly FeatureProbe[] = [
  {
    name: 'link/cgroup',
    since: '5.7',
    config: ['CONFIG_CGROUP_BPF'],
    attempt: () =>
      attachNowhere(
        'EBADF',
        { type: PROGRAM_TYPE['cgroup-skb'], expectedAttachType: ATTACH_TYPE['cgroup-inet-egress'] },
        { attachType: ATTACH_TYPE['cgroup-inet-egress'] },
      ),
  },
  {
    name: 'link/network-namespace',
    since: '5.8',
    config: ['CONFIG_NET'],
    attempt: () =>
      attachNowhere(
        'EBADF',
        { type: PROGRAM_TYPE['flow-dissector'] },
        { attachType: ATTACH_TYPE['flow-dissector'] },
      ),
  },
  {
    name: 'link/iterator',
    since: '5.8',
    config: ['CONFIG_BPF_EVENTS', BTF],
    attempt: () => {
      const attachType = ATTACH_TYPE['trace-iter'];
      const attachBtfId = attachTargetId({ kind: 'function', name: 'bpf_iter_task' });
      using program = loadProbe({
        type: PROGRAM_TYPE.tracing,
        expectedAttachType: attachType,
        attachBtfId,
      });
      const attributes = { fd: program.fd, target: 0, attachType, flags: 0 };
      using _link = new OwnedFd(createLink(attributes, 'an iterator'));
    },
  },
  {
    name: 'link/xdp',
    since: '5.9',
    config: ['CONFIG_NET', BTF],
    attempt: () => expectKernelFunction('bpf_xdp_link_attach'),
  },
  {
    name: 'link/perf-event',
    since: '5.15',
    config: ['CONFIG_BPF_EVENTS', 'CONFIG_PERF_EVENTS'],
    attempt: () =>
      attachNowhere('EBADF', { type: PROGRAM_TYPE.tracepoint }, { attachType: ATTACH_TYPE['perf-event'] }),
  },
  {
    name: 'link/kprobe-multi',
    since: '5.18',
    config: ['CONFIG_FPROBE', 'CONFIG_BPF_EVENTS'],
    attempt: () => attachKprobeMulti(ATTACH_TYPE['trace-kprobe-multi']),
  },
  {
    name: 'link/kprobe-session',
    since: '6.10',
    config: ['CONFIG_FPROBE', 'CONFIG_BPF_EVENTS'],
    attempt: () => attachKprobeMulti(ATTACH_TYPE['trace-kprobe-session']),
  },
  {
    name: 'link/struct-ops',
    since: '6.4',
    config: ['CONFIG_BPF_JIT', BTF],
    attempt: () => expectKernelFunction('bpf_struct_ops_link_create'),
  },
  {
    name: 'link/netfilter',
    since: '6.4',
    config: ['CONFIG_NETFILTER_BPF_LINK'],
    attempt: () =>
      attachNowhere(
        'EAFNOSUPPORT',
        { type: PROGRAM_TYPE.netfilter, expectedAttachType: ATTACH_TYPE.netfilter },
        { attachType: ATTACH_TYPE.netfilter, target: 0 },
        (attributes) => attributes.u32(LINK_CREATE_FAMILY['netfilter.pf'], 0xff),
      ),
  },
  {
    name: 'link/tcx',
    since: '6.6',
    config: ['CONFIG_NET_XGRESS'],
    attempt: () =>
      attachNowhere(
        'ENODEV',
        { type: PROGRAM_TYPE['sched-cls'] },
        { attachType: ATTACH_TYPE['tcx-ingress'] },
      ),
  },
  {
    name: 'link/uprobe-multi',
    since: '6.6',
    config: ['CONFIG_UPROBES', 'CONFIG_BPF_EVENTS'],
    attempt: () => attachUprobeMulti(ATTACH_TYPE['trace-uprobe-multi']),
  },
  {
    name: 'link/uprobe-session',
    since: '6.13',
    config: ['CONFIG_UPROBES', 'CONFIG_BPF_EVENTS'],
    attempt: () => attachUprobeMulti(ATTACH_TYPE['trace-uprobe-session']),
  },
  {
    name: 'link/netkit',
    since: '6.7',
    config: ['CONFIG_NETKIT'],
    attempt: () =>
      attachNowhere(
        'ENODEV',
        { type: PROGRAM_TYPE['sched-cls'] },
        { attachType: ATTACH_TYPE['netkit-primary'] },
      ),
  },
  {
    name: 'link/sockmap',
    since: '6.10',
    config: ['CONFIG_BPF_STREAM_PARSER', BTF],
    attempt: () => expectKernelFunction('sock_map_link_create'),
  },
  {
    name: 'link/fentry',
    since: '5.5',
    config: ['CONFIG_BPF_JIT', 'CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS', BTF],
    onTrampoline: true,
    attempt: () => loadOnFunction('trace-fentry', 'vfs_fallocate'),
  },
  {
    name: 'link/fexit',
    since: '5.5',
    config: ['CONFIG_BPF_JIT', 'CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS', BTF],
    onTrampoline: true,
    attempt: () => loadOnFunction('trace-fexit', 'vfs_fallocate'),
  },
  {
    name: 'link/modify-return',
    since: '5.7',
    config: ['CONFIG_BPF_JIT', 'CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS', 'CONFIG_SECURITY', BTF],
    onTrampoline: true,
    attempt: () => loadOnFunction('modify-return', 'security_file_open'),
  },
  {
    name: 'link/lsm-cgroup',
    since: '6.0',
    config: ['CONFIG_BPF_LSM', 'CONFIG_CGROUP_BPF', BTF],
    onTrampoline: true,
    attempt: () =>
      onTrampoline(() => {
        using _program = loadProbe({
          type: PROGRAM_TYPE.lsm,
          expectedAttachType: ATTACH_TYPE['lsm-cgroup'],
          attachBtfId: attachTargetId({ kind: 'function', name: 'bpf_lsm_socket_bind' }),
          instructions: returning(1),
        });
      }),
  },
  {
    name: 'link/raw-tracepoint-cookie',
    since: '6.10',
    config: ['CONFIG_BPF_EVENTS'],
    attempt: () => {
      using program = loadProbe({ type: PROGRAM_TYPE['raw-tracepoint'] });
      const fd = openRawTracepoint(program.fd, 'sched_process_exec', 1n, 'a raw tracepoint');
      new OwnedFd(fd).close();
    },
  },
];

function loadOnFunction(attachType: 'trace-fentry' | 'trace-fexit' | 'modify-return', name: string): void {
  onTrampoline(() => {
    using _program = loadProbe({
      type: PROGRAM_TYPE.tracing,
      expectedAttachType: ATTACH_TYPE[attachType],
      attachBtfId: attachTargetId({ kind: 'function', name }),
    });
  });
}

/** By a symbol that no kernel has: ESRCH. */
function attachKprobeMulti(attachType: number): void {
  const symbol = cString('vespid_no_such_symbol');
  const pointers = new BigUint64Array(1);
  attachNowhere(
    'ESRCH',
    { type: PROGRAM_TYPE.kprobe, expectedAttachType: attachType },
    { attachType, target: 0 },
    (attributes) => {
      pointers[0] = attributes.addressOf(symbol);
      attributes
        .u32(LINK_CREATE_FAMILY['kprobe_multi.cnt'], 1)
        .pointer(LINK_CREATE_FAMILY['kprobe_multi.syms'], new Uint8Array(pointers.buffer));
    },
  );
}

/** By a directory, which cannot be a program: EBADF. */
function attachUprobeMulti(attachType: number): void {
  attachNowhere(
    'EBADF',
    { type: PROGRAM_TYPE.kprobe, expectedAttachType: attachType },
    { attachType, target: 0 },
    (attributes) =>
      attributes
        .pointer(LINK_CREATE_FAMILY['uprobe_multi.path'], cString('/'))
        .pointer(LINK_CREATE_FAMILY['uprobe_multi.offsets'], new Uint8Array(8))
        .u32(LINK_CREATE_FAMILY['uprobe_multi.cnt'], 1),
  );
}

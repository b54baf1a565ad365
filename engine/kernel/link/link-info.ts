import { Attributes } from '../commands/attributes.js';
import { objectInfo } from '../commands/object-commands.js';
import { fixedString } from '../objects/object-info.js';

/** enum bpf_link_type of include/uapi/linux/bpf.h. */
export const LINK_TYPE = {
  'raw-tracepoint': 1,
  tracing: 2,
  cgroup: 3,
  iter: 4,
  netns: 5,
  xdp: 6,
  'perf-event': 7,
  'kprobe-multi': 8,
  'struct-ops': 9,
  netfilter: 10,
  tcx: 11,
  'uprobe-multi': 12,
  netkit: 13,
  sockmap: 14,
} as const;
export type LinkTypeName = keyof typeof LINK_TYPE;

/** enum bpf_perf_event_type */
const PERF_EVENT_KINDS = [
  'unspecified',
  'uprobe',
  'uretprobe',
  'kprobe',
  'kretprobe',
  'tracepoint',
  'event',
] as const;
export type PerfEventKind = (typeof PERF_EVENT_KINDS)[number];

/** What a link is attached to: `struct bpf_link_info`, by its type. */
export type LinkTarget =
  | { readonly type: 'raw-tracepoint'; readonly name: string }
  | {
      readonly type: 'tracing';
      readonly attachType: number;
      /** The BTF object of the target, or for freplace and programs on programs the program. */
      readonly targetObjectId: number;
      readonly targetBtfId: number;
    }
  | { readonly type: 'cgroup'; readonly cgroupId: bigint; readonly attachType: number }
  | { readonly type: 'iter'; readonly name: string }
  /** `netnsInode` is 0 when the namespace is gone, and `interfaceIndex` when the interface is. */
  | { readonly type: 'netns'; readonly netnsInode: number; readonly attachType: number }
  | { readonly type: 'xdp'; readonly interfaceIndex: number }
  | {
      readonly type: 'tcx' | 'netkit';
      readonly interfaceIndex: number;
      readonly attachType: number;
    }
  | {
      readonly type: 'netfilter';
      readonly protocolFamily: number;
      readonly hook: number;
      readonly priority: number;
      readonly flags: number;
    }
  | {
      readonly type: 'kprobe-multi' | 'uprobe-multi';
      readonly count: number;
      readonly isReturnProbe: boolean;
    }
  | { readonly type: 'struct-ops'; readonly mapId: number }
  | { readonly type: 'sockmap'; readonly mapId: number; readonly attachType: number }
  /** `kind` is unspecified and the rest empty before Linux 6.6. */
  | {
      readonly type: 'perf-event';
      readonly kind: PerfEventKind;
      /** The function, the binary or the tracepoint. */
      readonly name: string;
      readonly offset: number;
    }
  | { readonly type: 'unknown'; readonly number: number };

export interface LinkInfo {
  readonly id: number;
  /** 0 for struct_ops. */
  readonly programId: number;
  readonly target: LinkTarget;
}

/** `struct bpf_link_info` with room for what is added to it. */
const INFO_BYTES = 128;
/** Of a target's name: BPF_OBJ_NAME_LEN, KSYM_NAME_LEN and PATH_MAX all fit. */
const NAME_BYTES = 4096;
/** BPF_F_KPROBE_MULTI_RETURN and BPF_F_UPROBE_MULTI_RETURN. */
const IS_RETURN = 1;

/** BPF_OBJ_GET_INFO_BY_FD of a link. */
export function readLinkInfo(fd: number): LinkInfo {
  const view = query(fd, () => {});
  const type = view.getUint32(0, true);
  return {
    id: view.getUint32(4, true),
    programId: view.getUint32(8, true),
    target: targetOf(fd, type, view),
  };
}

/** Asks for the info; `prepare` sets the fields that are inputs. */
function query(fd: number, prepare: (info: Attributes) => void): DataView {
  const info = new Attributes(INFO_BYTES);
  prepare(info);
  objectInfo(fd, info, 'a link');
  return new DataView(info.bytes.buffer);
}

/** The offsets are those of `struct bpf_link_info`, whose union begins at byte 16. */
function targetOf(fd: number, type: number, view: DataView): LinkTarget {
  const u32 = (byteOffset: number) => view.getUint32(byteOffset, true);
  switch (type) {
    case LINK_TYPE['raw-tracepoint']:
      return { type: 'raw-tracepoint', name: readName(fd, 16, 24) };
    case LINK_TYPE.tracing:
      return { type: 'tracing', attachType: u32(16), targetObjectId: u32(20), targetBtfId: u32(24) };
    case LINK_TYPE.cgroup:
      return { type: 'cgroup', cgroupId: view.getBigUint64(16, true), attachType: u32(24) };
    case LINK_TYPE.iter:
      return { type: 'iter', name: readName(fd, 16, 24) };
    case LINK_TYPE.netns:
      return { type: 'netns', netnsInode: u32(16), attachType: u32(20) };
    case LINK_TYPE.xdp:
      return { type: 'xdp', interfaceIndex: u32(16) };
    case LINK_TYPE['perf-event']:
      return perfEventTarget(fd, view);
    case LINK_TYPE['kprobe-multi']:
      return { type: 'kprobe-multi', count: u32(24), isReturnProbe: (u32(28) & IS_RETURN) !== 0 };
    case LINK_TYPE['struct-ops']:
      return { type: 'struct-ops', mapId: u32(16) };
    case LINK_TYPE.netfilter:
      return {
        type: 'netfilter',
        protocolFamily: u32(16),
        hook: u32(20),
        priority: view.getInt32(24, true),
        flags: u32(28),
      };
    case LINK_TYPE.tcx:
      return { type: 'tcx', interfaceIndex: u32(16), attachType: u32(20) };
    case LINK_TYPE['uprobe-multi']:
      return { type: 'uprobe-multi', count: u32(52), isReturnProbe: (u32(56) & IS_RETURN) !== 0 };
    case LINK_TYPE.netkit:
      return { type: 'netkit', interfaceIndex: u32(16), attachType: u32(20) };
    case LINK_TYPE.sockmap:
      return { type: 'sockmap', mapId: u32(16), attachType: u32(20) };
    default:
      return { type: 'unknown', number: type };
  }
}

function perfEventTarget(fd: number, view: DataView): LinkTarget {
  const kind = PERF_EVENT_KINDS[view.getUint32(16, true)] ?? 'unspecified';
  const hasName = kind !== 'unspecified' && kind !== 'event';
  const hasOffset = hasName && kind !== 'tracepoint';
  return {
    type: 'perf-event',
    kind,
    name: hasName ? readName(fd, 24, 32) : '',
    offset: hasOffset ? view.getUint32(36, true) : 0,
  };
}

function readName(fd: number, pointerOffset: number, lengthOffset: number): string {
  const name = new Uint8Array(NAME_BYTES);
  query(fd, (info) => info.pointer(pointerOffset, name).u32(lengthOffset, NAME_BYTES));
  return fixedString(name);
}

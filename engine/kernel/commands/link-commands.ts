import {
  ITER_CREATE,
  LINK_CREATE,
  LINK_DETACH,
  LINK_UPDATE,
  PROGRAM_ATTACH,
  PROGRAM_QUERY,
  RAW_TRACEPOINT_OPEN,
} from './attribute-layout.js';
import { Attributes, cString } from './attributes.js';
import { bpf } from './bpf-command.js';

/** What every family of BPF_LINK_CREATE takes. */
export interface LinkCreateAttributes {
  /** The program; the map for struct_ops. */
  readonly fd: number;
  /** Descriptor or interface index. */
  readonly target: number;
  /** enum bpf_attach_type */
  readonly attachType: number;
  readonly flags: number;
}

/** The longest family, uprobe_multi, ends here. */
const LINK_CREATE_BYTES = 64;

/**
 * BPF_LINK_CREATE; the value is the new descriptor.
 *
 * @param family writes the fields of one family, {@link LINK_CREATE_FAMILY}
 */
export function createLink(
  create: LinkCreateAttributes,
  subject: string,
  family: (attributes: Attributes) => void = () => {},
): number {
  const attributes = new Attributes(LINK_CREATE_BYTES)
    .u32(LINK_CREATE.prog_fd, create.fd)
    .u32(LINK_CREATE.target_fd, create.target)
    .u32(LINK_CREATE.attach_type, create.attachType)
    .u32(LINK_CREATE.flags, create.flags);
  family(attributes);
  return bpf('LINK_CREATE', attributes, subject);
}

/** BPF_F_REPLACE of include/uapi/linux/bpf.h. */
const REPLACE = 1 << 2;

/** BPF_LINK_UPDATE: puts another program (map for struct_ops) in place, if `oldFd` is given only in that one's. */
export function updateLink(linkFd: number, newFd: number, oldFd: number | undefined, subject: string): void {
  const attributes = new Attributes(16)
    .u32(LINK_UPDATE.link_fd, linkFd)
    .u32(LINK_UPDATE.new_prog_fd, newFd)
    .u32(LINK_UPDATE.flags, oldFd === undefined ? 0 : REPLACE)
    .u32(LINK_UPDATE.old_prog_fd, oldFd ?? 0);
  bpf('LINK_UPDATE', attributes, subject);
}

/** BPF_LINK_DETACH: the link stays open and attaches nothing any more. */
export function detachLink(linkFd: number, subject: string): void {
  bpf('LINK_DETACH', new Attributes(4).u32(LINK_DETACH.link_fd, linkFd), subject);
}

/** BPF_RAW_TRACEPOINT_OPEN; without a name the program's own target is meant. The value is a link's descriptor. */
export function openRawTracepoint(
  programFd: number,
  name: string | undefined,
  cookie: bigint,
  subject: string,
): number {
  const attributes = new Attributes(24)
    .u32(RAW_TRACEPOINT_OPEN.prog_fd, programFd)
    .u64(RAW_TRACEPOINT_OPEN.cookie, cookie);
  if (name !== undefined) attributes.pointer(RAW_TRACEPOINT_OPEN.name, cString(name));
  return bpf('RAW_TRACEPOINT_OPEN', attributes, subject);
}

/** BPF_ITER_CREATE: a descriptor that runs the iterator of a link once, while it is read. */
export function createIterator(linkFd: number, subject: string): number {
  return bpf('ITER_CREATE', new Attributes(8).u32(ITER_CREATE.link_fd, linkFd), subject);
}

export interface ProgramAttachAttributes {
  /** Descriptor or interface index. */
  readonly target: number;
  readonly programFd: number;
  readonly attachType: number;
  readonly flags: number;
  readonly replaceFd?: number;
  readonly relative?: number;
  readonly expectedRevision?: bigint;
}

/** BPF_PROG_ATTACH and BPF_PROG_DETACH: attachments without a link. */
export function attachProgramTo(
  command: 'PROG_ATTACH' | 'PROG_DETACH',
  attach: ProgramAttachAttributes,
  subject: string,
): void {
  const attributes = new Attributes(32)
    .u32(PROGRAM_ATTACH.target_fd, attach.target)
    .u32(PROGRAM_ATTACH.attach_bpf_fd, attach.programFd)
    .u32(PROGRAM_ATTACH.attach_type, attach.attachType)
    .u32(PROGRAM_ATTACH.attach_flags, attach.flags)
    .u32(PROGRAM_ATTACH.replace_bpf_fd, attach.replaceFd ?? 0)
    .u32(PROGRAM_ATTACH.relative_fd, attach.relative ?? 0)
    .u64(PROGRAM_ATTACH.expected_revision, attach.expectedRevision ?? 0n);
  bpf(command, attributes, subject);
}

export interface ProgramQuery {
  readonly attachFlags: number;
  readonly programIds: Uint32Array;
  /** Of tcx and netkit: counts changes (kernel 6.6); 0 elsewhere. */
  readonly revision: bigint;
}

/** Programs at one attach point: BPF_CGROUP_MAX_PROGS and BPF_MPROG_MAX are 64. */
const MOST_ATTACHED = 64;

/** BPF_PROG_QUERY: what is attached to a cgroup, network namespace or interface. */
export function queryPrograms(
  target: number,
  attachType: number,
  queryFlags: number,
  subject: string,
): ProgramQuery {
  const ids = new Uint32Array(MOST_ATTACHED);
  const attributes = new Attributes(64)
    .u32(PROGRAM_QUERY.target_fd, target)
    .u32(PROGRAM_QUERY.attach_type, attachType)
    .u32(PROGRAM_QUERY.query_flags, queryFlags)
    .pointer(PROGRAM_QUERY.prog_ids, new Uint8Array(ids.buffer))
    .u32(PROGRAM_QUERY.count, ids.length);
  bpf('PROG_QUERY', attributes, subject);
  return {
    attachFlags: attributes.readU32(PROGRAM_QUERY.attach_flags),
    programIds: ids.slice(0, attributes.readU32(PROGRAM_QUERY.count)),
    revision: attributes.readU64(PROGRAM_QUERY.revision),
  };
}

import { LINK_CREATE_FAMILY } from '../commands/attribute-layout.js';
import type { Attributes } from '../commands/attributes.js';
import type { BpfProgram } from '../programs/program.js';
import type { BpfLink } from './bpf-link.js';

/** Where a program stands among the others of the same device and direction, or of the same cgroup. */
export type AttachOrder =
  | 'first'
  | 'last'
  | { readonly before: BpfLink | BpfProgram }
  | { readonly after: BpfLink | BpfProgram };

/** BPF_F_BEFORE, BPF_F_AFTER and BPF_F_LINK of include/uapi/linux/bpf.h. */
const FLAG = { before: 1 << 3, after: 1 << 4, link: 1 << 13 } as const;

/** The flags of BPF_LINK_CREATE and its field `relative_fd`, which tcx, netkit and cgroups have in one place. */
export function attachOrder(
  order: AttachOrder,
  isLink: (neighbour: BpfLink | BpfProgram) => boolean,
): { readonly flags: number; readonly family: (attributes: Attributes) => void } {
  if (order === 'first' || order === 'last') {
    return { flags: order === 'first' ? FLAG.before : FLAG.after, family: () => {} };
  }
  const neighbour = 'before' in order ? order.before : order.after;
  const flags = ('before' in order ? FLAG.before : FLAG.after) | (isLink(neighbour) ? FLAG.link : 0);
  return {
    flags,
    family: (attributes) => void attributes.u32(LINK_CREATE_FAMILY['tcx.relative_fd'], neighbour.fd),
  };
}

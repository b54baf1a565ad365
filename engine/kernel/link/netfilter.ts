import { ATTACH_TYPE } from '../../bytecode/index.js';
import { LINK_CREATE_FAMILY } from '../commands/attribute-layout.js';
import type { BpfProgram } from '../programs/program.js';
import { BpfLink } from './bpf-link.js';

/** NFPROTO_* and enum nf_inet_hooks of include/uapi/linux/netfilter.h. */
const FAMILY = { ipv4: 2, ipv6: 10 } as const;
const HOOK = { 'pre-routing': 0, 'local-in': 1, forward: 2, 'local-out': 3, 'post-routing': 4 } as const;
/** BPF_F_NETFILTER_IP_DEFRAG */
const DEFRAGMENT = 1;

export interface NetfilterTarget {
  readonly family: keyof typeof FAMILY;
  readonly hook: keyof typeof HOOK;
  /** Lower runs earlier. 0 is that of the filter table; it must be free, and neither the least nor the greatest. */
  readonly priority: number;
  /** Fragments are put together first: needs Linux 6.6, and a priority of more than -400. */
  readonly defragment?: boolean;
}

/**
 * Attaches a program to a netfilter hook of this thread's network namespace: needs Linux 6.4.
 *
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED
 */
export function attachNetfilter(program: BpfProgram, target: NetfilterTarget): BpfLink {
  return BpfLink.create(
    {
      fd: program.fd,
      target: 0,
      attachType: ATTACH_TYPE.netfilter,
    },
    `netfilter ${target.family} ${target.hook}`,
    (attributes) =>
      void attributes
        .u32(LINK_CREATE_FAMILY['netfilter.pf'], FAMILY[target.family])
        .u32(LINK_CREATE_FAMILY['netfilter.hooknum'], HOOK[target.hook])
        .u32(LINK_CREATE_FAMILY['netfilter.priority'], target.priority)
        .u32(LINK_CREATE_FAMILY['netfilter.flags'], target.defragment === true ? DEFRAGMENT : 0),
  );
}

import { ATTACH_TYPE } from '../../bytecode/index.js';
import type { BpfProgram } from '../programs/program.js';
import { type AttachOrder, attachOrder } from './attach-order.js';
import { BpfLink } from './bpf-link.js';

/**
 * Attaches a program of type sched_cls to a pair of netkit devices, for what leaves the primary or its peer: needs
 * Linux 6.7. Both sides are named by the primary's index.
 *
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED
 */
export function attachNetkit(
  program: BpfProgram,
  primaryInterfaceIndex: number,
  side: 'primary' | 'peer',
  order: AttachOrder = 'last',
): BpfLink {
  const { flags, family } = attachOrder(order, (neighbour) => neighbour instanceof BpfLink);
  return BpfLink.create(
    { fd: program.fd, target: primaryInterfaceIndex, attachType: ATTACH_TYPE[`netkit-${side}`], flags },
    `netkit ${side} of interface ${primaryInterfaceIndex}`,
    family,
  );
}

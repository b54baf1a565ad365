import { ATTACH_TYPE } from '../../bytecode/index.js';
import type { BpfProgram } from '../programs/program.js';
import { type AttachOrder, attachOrder } from './attach-order.js';
import { BpfLink } from './bpf-link.js';

export type TrafficDirection = 'ingress' | 'egress';

/**
 * Attaches a program of type sched_cls to an interface: needs Linux 6.6. `attachTc` also serves older kernels.
 *
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED
 */
export function attachTcx(
  program: BpfProgram,
  interfaceIndex: number,
  direction: TrafficDirection,
  order: AttachOrder = 'last',
): BpfLink {
  const { flags, family } = attachOrder(order, (neighbour) => neighbour instanceof BpfLink);
  return BpfLink.create(
    { fd: program.fd, target: interfaceIndex, attachType: ATTACH_TYPE[`tcx-${direction}`], flags },
    `tcx ${direction} of interface ${interfaceIndex}`,
    family,
  );
}

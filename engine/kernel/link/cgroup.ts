import type { BpfProgram } from '../programs/program.js';
import { type AttachOrder, attachOrder } from './attach-order.js';
import { BpfLink } from './bpf-link.js';

/**
 * Attaches a program to a cgroup v2 directory, for all processes in and below it: socket, address, sockopt, sysctl,
 * device and sock_ops programs and lsm_cgroup. Any number of links may be on one cgroup; all of them run.
 *
 * @param attachType enum bpf_attach_type: that with which the program was loaded
 * @param order its place among the programs of this cgroup: needs Linux 6.16; without it, last
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED
 */
export function attachToCgroup(
  program: BpfProgram,
  cgroup: { readonly fd: number },
  attachType: number,
  order?: AttachOrder,
): BpfLink {
  const create = { fd: program.fd, target: cgroup.fd, attachType };
  const subject = 'a cgroup attachment';
  if (order === undefined) return BpfLink.create(create, subject);
  const { flags, family } = attachOrder(order, (neighbour) => neighbour instanceof BpfLink);
  return BpfLink.create({ ...create, flags }, subject, family);
}

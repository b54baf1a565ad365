import type { BpfProgram } from '../program.js';
import { BpfLink } from './bpf-link.js';

/**
 * Attaches a program to a cgroup v2 directory, for all processes in and below it: socket, address, sockopt, sysctl,
 * device and sock_ops programs and lsm_cgroup. Any number of links may be on one cgroup; all of them run.
 *
 * @param attachType enum bpf_attach_type: that with which the program was loaded
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED
 */
export function attachToCgroup(
  program: BpfProgram,
  cgroup: { readonly fd: number },
  attachType: number,
): BpfLink {
  return BpfLink.create({ fd: program.fd, target: cgroup.fd, attachType }, 'a cgroup attachment');
}

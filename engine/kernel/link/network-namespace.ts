import { ATTACH_TYPE } from '../../bytecode/index.js';
import type { BpfProgram } from '../programs/program.js';
import type { NetworkNamespace } from '../system/network-namespace.js';
import { BpfLink } from './bpf-link.js';

/**
 * Attaches a program that chooses the socket for a packet without one: needs Linux 5.9.
 *
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED
 */
export function attachSocketLookup(program: BpfProgram, namespace: NetworkNamespace): BpfLink {
  return BpfLink.create(
    { fd: program.fd, target: namespace.fd, attachType: ATTACH_TYPE['sk-lookup'] },
    'socket lookup of a network namespace',
  );
}

/**
 * Attaches a flow dissector, of which a namespace has one. One of the initial namespace overrides all others.
 *
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED (EEXIST: there is one)
 */
export function attachFlowDissector(program: BpfProgram, namespace: NetworkNamespace): BpfLink {
  return BpfLink.create(
    { fd: program.fd, target: namespace.fd, attachType: ATTACH_TYPE['flow-dissector'] },
    'flow dissector of a network namespace',
  );
}

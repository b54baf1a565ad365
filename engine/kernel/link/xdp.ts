import { ATTACH_TYPE } from '../../bytecode/index.js';
import type { BpfProgram } from '../programs/program.js';
import { BpfLink } from './bpf-link.js';

/** XDP_FLAGS_*_MODE of include/uapi/linux/if_link.h; `any` lets the kernel choose the driver if it can. */
const MODE_FLAGS = { any: 0, generic: 1 << 1, driver: 1 << 2, hardware: 1 << 3 } as const;
export type XdpMode = keyof typeof MODE_FLAGS;

/**
 * Attaches an XDP program to an interface of this thread's network namespace.
 *
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED (EBUSY: another program is there)
 */
export function attachXdp(program: BpfProgram, interfaceIndex: number, mode: XdpMode = 'any'): BpfLink {
  return BpfLink.create(
    { fd: program.fd, target: interfaceIndex, attachType: ATTACH_TYPE.xdp, flags: MODE_FLAGS[mode] },
    `XDP on interface ${interfaceIndex}`,
  );
}

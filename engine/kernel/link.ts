import { Attributes, cString } from './attributes.js';
import { bpf } from './bpf-command.js';
import { OwnedFd } from './owned-fd.js';
import type { BpfProgram } from './program.js';

/** An attachment: the program stays attached for as long as the link is open. */
export class BpfLink extends OwnedFd {
  /** BPF_LINK_CREATE to a cgroup directory that is open as `cgroup`. */
  static attachToCgroup(program: BpfProgram, cgroup: { readonly fd: number }, attachType: number): BpfLink {
    const attributes = new Attributes(48).u32(0, program.fd).u32(4, cgroup.fd).u32(8, attachType);
    return new BpfLink(bpf('LINK_CREATE', attributes, 'a cgroup attachment'));
  }

  /**
   * BPF_RAW_TRACEPOINT_OPEN. Without a name the program's own target is meant: LSM hooks, fentry, tp_btf.
   */
  static attachTracing(program: BpfProgram, rawTracepoint?: string): BpfLink {
    const attributes = new Attributes(24).u32(8, program.fd);
    if (rawTracepoint !== undefined) attributes.pointer(0, cString(rawTracepoint));
    return new BpfLink(bpf('RAW_TRACEPOINT_OPEN', attributes, rawTracepoint ?? "the program's target"));
  }
}

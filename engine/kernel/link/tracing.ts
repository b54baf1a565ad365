import { LINK_CREATE_FAMILY } from '../commands/attribute-layout.js';
import { openRawTracepoint } from '../commands/link-commands.js';
import type { BpfProgram } from '../programs/program.js';
import { BpfLink } from './bpf-link.js';
import { isRefusedWith } from './refused-with.js';

export interface TracingOptions {
  /** What `bpf_get_attach_cookie` gives to the program. */
  readonly cookie?: bigint;
}

/**
 * Attaches a program to a tracepoint by its name, without category: `sched_switch`. A cookie needs Linux 6.10.
 *
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED (ENOENT: no such tracepoint)
 */
export function attachRawTracepoint(
  program: BpfProgram,
  tracepoint: string,
  options: TracingOptions = {},
): BpfLink {
  const subject = `raw tracepoint ${tracepoint}`;
  return new BpfLink(openRawTracepoint(program.fd, tracepoint, options.cookie ?? 0n, subject));
}

const OWN_TARGET = "the program's target";

/**
 * Attaches a program to the BTF target that it was loaded for: tp_btf, fentry, fexit, fmod_ret and LSM.
 *
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED
 */
export function attachTracing(program: BpfProgram): BpfLink {
  return new BpfLink(openRawTracepoint(program.fd, undefined, 0n, OWN_TARGET));
}

/**
 * As {@link attachTracing}, with a cookie: needs Linux 5.19.
 *
 * @param attachType enum bpf_attach_type: that with which the program was loaded
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED
 */
export function attachTracingWithCookie(program: BpfProgram, attachType: number, cookie: bigint): BpfLink {
  return BpfLink.create(
    { fd: program.fd, target: 0, attachType },
    OWN_TARGET,
    (attributes) => void attributes.u64(LINK_CREATE_FAMILY['tracing.cookie'], cookie),
  );
}

/** A function of a loaded program: {@link typeId} is its FUNC in that program's BTF. */
export interface ProgramFunction {
  readonly program: BpfProgram;
  readonly typeId: number;
}

/**
 * Replaces a function of another program by a freplace program. Without a target it is that for which it was loaded.
 *
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED
 */
export function attachReplacement(program: BpfProgram, target?: ProgramFunction): BpfLink {
  try {
    return BpfLink.create(
      { fd: program.fd, target: target?.program.fd ?? 0, attachType: 0 },
      'a replacement of a function',
      (attributes) => void attributes.u32(LINK_CREATE_FAMILY['tracing.target_btf_id'], target?.typeId ?? 0),
    );
  } catch (error) {
    // Before 5.13 BPF_LINK_CREATE knew no freplace, and the target was that of the load.
    if (target !== undefined || !isRefusedWith(error, 'EINVAL')) throw error;
    return attachTracing(program);
  }
}

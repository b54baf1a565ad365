import { cString } from '../commands/attributes.js';
import type { BpfProgram } from '../programs/program.js';
import { openPerfEvent } from '../records/perf-event.js';
import type { BpfLink } from './bpf-link.js';
import { attachToPerfEvent, type PerfLinkOptions } from './perf-event.js';
import { probePmu } from './probe-pmu.js';

/** Where a kprobe stands: in a function, or at an address of /proc/kallsyms. */
export type KprobeTarget =
  | { readonly function: string /** In bytes. */; readonly offset?: number }
  | { readonly address: bigint };

export interface ProbeOptions extends PerfLinkOptions {
  /** Run at the return of the function, not at its entry. */
  readonly isReturn?: boolean;
}

/**
 * Attaches a program of type kprobe to one place in the kernel.
 *
 * @throws VespidError KERNEL_UNSUPPORTED when the kernel has no kprobes, KERNEL_PERMISSION, KERNEL_CALL_FAILED
 *   (ENOENT: no such function, or one that may not be probed)
 */
export function attachKprobe(program: BpfProgram, target: KprobeTarget, options: ProbeOptions = {}): BpfLink {
  const { type, returnFlag } = probePmu('kprobe');
  const config = options.isReturn === true ? returnFlag : 0n;
  const place =
    'function' in target
      ? { config1: cString(target.function), config2: BigInt(target.offset ?? 0) }
      : { config2: target.address };
  const subject = `kprobe ${describe(target)}`;
  const event = openPerfEvent({ type, config, ...place }, { cpu: 0 }, subject);
  return attachToPerfEvent(program, event, options, subject);
}

function describe(target: KprobeTarget): string {
  if ('address' in target) return `0x${target.address.toString(16)}`;
  return target.offset === undefined ? target.function : `${target.function}+${target.offset}`;
}

/** How each architecture names its system call entry points, CONFIG_ARCH_HAS_SYSCALL_WRAPPER. */
const SYSCALL_PREFIX: Readonly<Record<string, string>> = { x64: '__x64_sys_', arm64: '__arm64_sys_' };

/** The kernel function behind a system call, as libbpf's `ksyscall` sections name it: `openat`. */
export function systemCallFunction(name: string): string {
  return `${SYSCALL_PREFIX[process.arch] ?? '__se_sys_'}${name}`;
}

/** Attaches a program of type kprobe to a system call by its name: `openat`. */
export function attachSystemCall(program: BpfProgram, name: string, options: ProbeOptions = {}): BpfLink {
  return attachKprobe(program, { function: systemCallFunction(name) }, options);
}

import { cString } from '../commands/attributes.js';
import type { BpfProgram } from '../programs/program.js';
import { openPerfEvent } from '../records/perf-event.js';
import type { BpfLink } from './bpf-link.js';
import { functionOffsets } from './executable-symbols.js';
import type { ProbeOptions } from './kprobe.js';
import { attachToPerfEvent } from './perf-event.js';
import { probePmu } from './probe-pmu.js';

/** Where a uprobe stands: an executable or library, and a function of it or an offset in the file. */
export type UprobeTarget = { readonly path: string } & (
  | { readonly function: string /** From the function's start, in bytes. */; readonly offset?: number }
  | { readonly fileOffset: bigint }
);

export interface UprobeOptions extends ProbeOptions {
  /** Only for this process; without it for all, those to come included. */
  readonly pid?: number;
  /** Offset in the file of a counter that says the probe is in use (the semaphore of a USDT probe). */
  readonly referenceCounterOffset?: number;
}

/** The reference counter's offset is the upper half of `config`, PERF_UPROBE_REF_CTR_OFFSET_SHIFT. */
const REFERENCE_COUNTER_SHIFT = 32n;

/**
 * Attaches a program of type kprobe to a place in user space code.
 *
 * @throws VespidError SYMBOL_NOT_FOUND, EXECUTABLE_MALFORMED, KERNEL_UNSUPPORTED, KERNEL_PERMISSION,
 *   KERNEL_CALL_FAILED
 */
export function attachUprobe(
  program: BpfProgram,
  target: UprobeTarget,
  options: UprobeOptions = {},
): BpfLink {
  const { type, returnFlag } = probePmu('uprobe');
  const fileOffset = uprobeOffset(target);
  const config =
    (options.isReturn === true ? returnFlag : 0n) |
    (BigInt(options.referenceCounterOffset ?? 0) << REFERENCE_COUNTER_SHIFT);
  const subject = `uprobe ${target.path}+0x${fileOffset.toString(16)}`;
  const event = openPerfEvent(
    { type, config, config1: cString(target.path), config2: fileOffset },
    // All processes are watched through one CPU: as for tracepoints, the program runs on every one.
    options.pid === undefined ? { cpu: 0 } : { pid: options.pid },
    subject,
  );
  return attachToPerfEvent(program, event, options, subject);
}

function uprobeOffset(target: UprobeTarget): bigint {
  if ('fileOffset' in target) return target.fileOffset;
  const [start = 0n] = functionOffsets(target.path, [target.function]);
  return start + BigInt(target.offset ?? 0);
}

import { readFileSync } from 'node:fs';
import { VespidError } from '../../errors/index.js';
import type { BpfProgram } from '../programs/program.js';
import { openPerfEvent, PERF_TYPE } from '../records/perf-event.js';
import type { BpfLink } from './bpf-link.js';
import { attachToPerfEvent, type PerfLinkOptions } from './perf-event.js';

/** Where tracefs is mounted, the usual place first. */
const TRACEFS = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];

/**
 * Attaches a program of type tracepoint: `sched`, `sched_process_exec`.
 *
 * @throws VespidError TRACEPOINT_NOT_FOUND, KERNEL_PERMISSION, KERNEL_CALL_FAILED
 */
export function attachTracepoint(
  program: BpfProgram,
  category: string,
  name: string,
  options: PerfLinkOptions = {},
): BpfLink {
  const subject = `tracepoint ${category}/${name}`;
  const config = BigInt(tracepointId(category, name));
  // On one CPU and for all threads: BPF programs run for the whole system, whatever the event counts.
  const event = openPerfEvent({ type: PERF_TYPE.tracepoint, config }, { cpu: 0 }, subject);
  return attachToPerfEvent(program, event, options, subject);
}

/** The number in tracefs: `events/sched/sched_switch/id`. */
function tracepointId(category: string, name: string): number {
  for (const root of TRACEFS) {
    try {
      return Number(readFileSync(`${root}/events/${category}/${name}/id`, 'utf8'));
    } catch {
      // Not there; the other place may have it.
    }
  }
  throw new VespidError('TRACEPOINT_NOT_FOUND', `there is no tracepoint ${category}/${name}`, {
    hint: `look it up under ${TRACEFS[0]}/events; if that is empty: mount -t tracefs tracefs ${TRACEFS[0]}`,
    details: { category, name },
  });
}

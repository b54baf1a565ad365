import { readFileSync } from 'node:fs';
import { VespidError } from '../../errors/index.js';

const DEVICES = '/sys/bus/event_source/devices';

/** How perf_event_open is told to make a probe: a dynamic PMU, Linux 4.17. */
export interface ProbePmu {
  readonly type: number;
  /** The bit of `config` that asks for the function's return. */
  readonly returnFlag: bigint;
}

/**
 * The PMU `kprobe` or `uprobe` as sysfs describes it.
 *
 * @throws VespidError KERNEL_UNSUPPORTED
 */
export function probePmu(kind: 'kprobe' | 'uprobe'): ProbePmu {
  const read = (path: string) => readFileSync(`${DEVICES}/${kind}/${path}`, 'utf8').trim();
  try {
    // `config:0`
    const returnBit = read('format/retprobe').replace(/^config:/, '');
    return { type: Number(read('type')), returnFlag: 1n << BigInt(returnBit) };
  } catch (cause) {
    throw new VespidError('KERNEL_UNSUPPORTED', `this kernel has no ${kind} events: no ${DEVICES}/${kind}`, {
      cause,
      hint: `use a kernel with CONFIG_${kind.toUpperCase()}_EVENTS and a mounted sysfs`,
    });
  }
}

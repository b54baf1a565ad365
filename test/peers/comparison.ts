import type { KernelName } from '../vm/kernels.js';
import type { ExplainedObject } from './explained-objects.js';
import type { LoadOutcome, ObjectResult } from './outcome.js';

/**
 * What comparing the two loaders says about an object: loaded by both with equal tags, by both with other tags,
 * by one, by none; too slow with libbpf to say; or known to be, and not tried.
 */
export type Verdict =
  | 'both'
  | 'tags differ'
  | 'only libbpf'
  | 'only Vespid'
  | 'neither'
  | 'over limit'
  | 'not compared';

export interface Comparison {
  readonly kernel: KernelName;
  readonly object: string;
  readonly verdict: Verdict;
  /** Why a loader refused, or which tags differ; empty for `both`. */
  readonly reason: string;
  readonly libbpfMs: number;
  readonly vespidMs: number;
}

export function compare(kernel: KernelName, { object, libbpf, vespid }: ObjectResult): Comparison {
  const facts = { kernel, object, libbpfMs: libbpf.durationMs, vespidMs: vespid.durationMs };
  if (libbpf.kind === 'loaded' && vespid.kind === 'loaded') {
    const reason = differingTags(libbpf.tags, vespid.tags);
    return { ...facts, verdict: reason === '' ? 'both' : 'tags differ', reason };
  }
  const reason = [reasonOf('libbpf', libbpf), reasonOf('Vespid', vespid)]
    .filter((text) => text !== '')
    .join(' | ');
  return { ...facts, verdict: verdictOfRefusal(libbpf.kind, vespid.kind), reason };
}

/** The row of an object that is not tried. */
export function leftOut({ kernel, object, reason }: ExplainedObject): Comparison {
  return { kernel, object, verdict: 'not compared', reason, libbpfMs: 0, vespidMs: 0 };
}

/** An object that libbpf loads and Vespid does not in time is a miss; the other way round nothing is known. */
function verdictOfRefusal(libbpf: LoadOutcome['kind'], vespid: LoadOutcome['kind']): Verdict {
  if (libbpf === 'over-limit') return 'over limit';
  if (libbpf === 'loaded') return 'only libbpf';
  return vespid === 'loaded' ? 'only Vespid' : 'neither';
}

function reasonOf(loader: string, outcome: LoadOutcome): string {
  switch (outcome.kind) {
    case 'loaded':
      return '';
    case 'refused':
      return `${loader}: ${outcome.reason}`;
    case 'over-limit':
      if (outcome.durationMs === 0) return '';
      return `${loader}: not loaded after ${(outcome.durationMs / 1000).toFixed(0)} s`;
  }
}

function differingTags(
  libbpf: Readonly<Record<string, string>>,
  vespid: Readonly<Record<string, string>>,
): string {
  const names = [...new Set([...Object.keys(libbpf), ...Object.keys(vespid)])].sort();
  return names
    .filter((name) => libbpf[name] !== vespid[name])
    .map((name) => `${name}: ${libbpf[name] ?? 'absent'} by libbpf, ${vespid[name] ?? 'absent'} by Vespid`)
    .join('; ');
}

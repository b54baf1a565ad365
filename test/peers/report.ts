import { KERNEL_NAMES } from '../vm/kernels.js';
import type { Comparison, Verdict } from './comparison.js';
import type { ExplainedObject } from './explained-objects.js';

/** Of the objects that libbpf loads, the share that Vespid must load in each kernel. */
const REQUIRED_SHARE = 0.97;

const VERDICTS: readonly Verdict[] = [
  'both',
  'tags differ',
  'only libbpf',
  'only Vespid',
  'neither',
  'over limit',
  'not compared',
];

export interface Judgement {
  /** One test for each object and kernel that were compared, one for the share of each kernel, one for each entry of the list of misses. */
  readonly counts: { readonly passed: number; readonly failed: number; readonly skipped: number };
  /** The summary of each kernel and every failure. */
  readonly text: string;
}

/** Holds the comparisons to the required share and to the list of known misses. */
export function judge(
  comparisons: readonly Comparison[],
  knownMisses: readonly ExplainedObject[],
  { isWhole }: { readonly isWhole: boolean },
): Judgement {
  const misses = comparisons.filter(isMiss);
  const known = (miss: Comparison) =>
    knownMisses.find(({ object, kernel }) => object === miss.object && kernel === miss.kernel);
  const failures = [
    ...misses.filter((miss) => known(miss) === undefined).map(describeFailure),
    ...knownMisses
      .filter((entry) => !misses.some((miss) => known(miss) === entry))
      .map(({ object, kernel }) => `FAIL  ${kernel}  ${object}: listed as a known miss, and is none`),
  ];
  const summaries: string[] = [];
  let shareCount = 0;
  for (const kernel of KERNEL_NAMES) {
    const rows = comparisons.filter((row) => row.kernel === kernel);
    if (rows.length === 0) continue;
    const share = shareOf(rows);
    summaries.push(summaryOf(kernel, rows, share));
    if (!isWhole) continue;
    shareCount++;
    if (share < REQUIRED_SHARE)
      failures.push(`FAIL  ${kernel}  the share is ${percent(share)}, below ${percent(REQUIRED_SHARE)}`);
  }
  const failed = failures.length;
  const compared = comparisons.filter(({ verdict }) => verdict !== 'not compared').length;
  const passed = compared + knownMisses.length + shareCount - failed;
  return {
    counts: { passed, failed, skipped: 0 },
    text: [...failures, ...summaries].map((line) => `${line}\n`).join(''),
  };
}

function isMiss({ verdict }: Comparison): boolean {
  return verdict === 'only libbpf' || verdict === 'tags differ' || verdict === 'over limit';
}

function describeFailure({ kernel, object, verdict, reason }: Comparison): string {
  return `FAIL  ${kernel.padEnd(4)}  ${object}: ${verdict}: ${reason}`;
}

/** Of the objects that libbpf loads, the share that Vespid loads with the same tags. */
function shareOf(rows: readonly Comparison[]): number {
  const count = (verdict: Verdict) => rows.filter((row) => row.verdict === verdict).length;
  const loadedByLibbpf = count('both') + count('tags differ') + count('only libbpf');
  return loadedByLibbpf === 0 ? 1 : count('both') / loadedByLibbpf;
}

function summaryOf(kernel: string, rows: readonly Comparison[], share: number): string {
  const counts = VERDICTS.map(
    (verdict) => `${rows.filter((row) => row.verdict === verdict).length} ${verdict}`,
  );
  const seconds = (key: 'libbpfMs' | 'vespidMs') =>
    (rows.reduce((sum, row) => sum + row[key], 0) / 1000).toFixed(0);
  return (
    `kernel ${kernel}: ${rows.length} objects: ${counts.join(', ')}; Vespid loads ${percent(share)} of what ` +
    `libbpf loads; ${seconds('libbpfMs')} s in bpftool, ${seconds('vespidMs')} s in Vespid`
  );
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Every object and kernel, by verdict. */
export function renderTable(comparisons: readonly Comparison[]): string {
  const rows = comparisons.toSorted(
    (left, right) =>
      VERDICTS.indexOf(left.verdict) - VERDICTS.indexOf(right.verdict) ||
      left.object.localeCompare(right.object) ||
      left.kernel.localeCompare(right.kernel),
  );
  return rows
    .map(
      ({ kernel, object, verdict, reason, libbpfMs, vespidMs }) =>
        `${verdict.padEnd(11)}  ${kernel.padEnd(4)}  ${object.padEnd(44)}  ` +
        `${String(libbpfMs).padStart(6)} ms  ${String(vespidMs).padStart(6)} ms  ${reason}`.trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

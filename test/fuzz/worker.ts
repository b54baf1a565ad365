/**
 * Runs cases of one target in this process until its time or its number of cases is over. The parent (watched-run.ts)
 * ends it when a case hangs or takes too much memory: which case that is stands in the progress file, written
 * before each.
 */
import { openSync, writeSync } from 'node:fs';
import { argv, exit } from 'node:process';
import { caseInput } from './case-input.js';
import { readCorpus } from './corpus.js';
import { fuzzTargetNamed } from './fuzz-targets.js';
import { runCase } from './run-case.js';
import type { WorkerOrder, WorkerReport } from './worker-order.js';

async function work(order: WorkerOrder, report: (message: WorkerReport) => void): Promise<number> {
  const target = fuzzTargetNamed(order.target);
  const seeds = target.seeds(readCorpus(order.corpusFolder));
  const progress = openSync(order.progressFile, 'w');
  const place = new Uint32Array(1);
  const end = performance.now() + order.milliseconds;
  for (let caseIndex = order.firstCase; caseIndex < order.endCase; caseIndex++) {
    // The clock is asked after the first case, so that even a slow machine runs one.
    if (caseIndex > order.firstCase && performance.now() > end) return caseIndex;
    place[0] = caseIndex;
    writeSync(progress, place, 0, 4, 0);
    const fault = await runCase(target, caseInput(target, seeds, order.seed, caseIndex));
    if (fault !== undefined) report({ kind: 'fault', caseIndex, fault });
  }
  return order.endCase;
}

const [, , text = ''] = argv;
// The parent is ours and gives this form.
const nextCase = await work(JSON.parse(text) as WorkerOrder, (message) => process.send?.(message));
process.send?.({ kind: 'done', nextCase } satisfies WorkerReport, () => exit(0));

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../bench/package-root.js';
import { watchedRun } from './watched-run.js';

const LIMITS = { cpuMs: 1_500, heapMiB: 48, residentMiB: 160 };
/** A seed whose first cases have every misbehaviour once, and a good one before and after. */
const SEED = 2604;
const CASES = 7;

test('every fault is noticed, named and gone past', { timeout: 60_000 }, async () => {
  const corpusFolder = mkdtempSync(join(tmpdir(), 'vespid-fuzz-test-'));
  try {
    const { cases, found } = await watchedRun({
      target: 'misbehaving',
      seed: SEED,
      cases: CASES,
      milliseconds: 50_000,
      corpusFolder,
      limits: LIMITS,
      workerPath: join(packageRoot(), 'dist/test/fuzz/worker.js'),
    });
    expect(cases).toBe(CASES);
    expect(found.map(({ fault }) => `${fault.kind}: ${fault.message}`).sort()).toEqual([
      expect.stringMatching(/^crash: the worker ended with SIGABRT/),
      'hang: over 1500 ms of CPU time',
      expect.stringMatching(/^memory: \d+ MiB resident, limit 160$/),
      'memory: a heap of more than 48 MiB',
      'undocumented-error: RangeError: not one of ours',
    ]);
  } finally {
    rmSync(corpusFolder, { recursive: true, force: true });
  }
});

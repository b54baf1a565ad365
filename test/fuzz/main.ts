/** `npm run fuzz`: hostile input for every reader, in worker processes under limits of time and memory. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../bench/package-root.js';
import { caseInput } from './case-input.js';
import { readCorpus, writeCorpus } from './corpus.js';
import { writeCrasher } from './crasher-file.js';
import { FUZZ_TARGETS, fuzzTargetNamed } from './fuzz-targets.js';
import { minimise } from './minimise.js';
import { runCase } from './run-case.js';
import { type Found, watchedRun } from './watched-run.js';

const USAGE = `usage: npm run fuzz -- [--target NAME] [--cases N | --minutes N] [--seed N | --seed random]
       npm run fuzz -- --target NAME --replay FILE
targets: ${FUZZ_TARGETS.map(({ name }) => name).join(', ')}
Without --minutes every target runs --cases inputs (default 2000) of each --seed (default 1).`;

const DEFAULT_CASES = '2000';

interface Options {
  readonly targets: readonly string[];
  readonly seeds: readonly number[];
  readonly cases: number;
  readonly milliseconds: number;
}

async function fuzz(options: Options): Promise<number> {
  const corpusFolder = mkdtempSync(join(tmpdir(), 'vespid-fuzz-'));
  try {
    for (const failure of writeCorpus(corpusFolder)) process.stderr.write(`not in the corpus: ${failure}\n`);
    let faults = 0;
    for (const target of options.targets) {
      for (const seed of options.seeds) {
        const { cases, seconds, found } = await watchedRun({ ...options, target, seed, corpusFolder });
        faults += found.length;
        const rate = Math.round(cases / seconds);
        process.stdout.write(
          `${target}: seed ${seed}, ${cases} cases in ${seconds.toFixed(1)} s (${rate}/s), ${found.length} faults\n`,
        );
        for (const each of found) await keep(target, seed, each, corpusFolder);
      }
    }
    return faults === 0 ? 0 : 1;
  } finally {
    rmSync(corpusFolder, { recursive: true, force: true });
  }
}

/** Makes the input again, smaller where that is safe to try in this process, and writes it down. */
async function keep(
  targetName: string,
  seed: number,
  { caseIndex, fault }: Found,
  corpusFolder: string,
): Promise<void> {
  const target = fuzzTargetNamed(targetName);
  const seeds = target.seeds(readCorpus(corpusFolder));
  const whole = caseInput(target, seeds, seed, caseIndex);
  const isSafe = fault.kind === 'undocumented-error';
  const input = isSafe ? await minimise(target, whole, seeds, fault.signature) : whole;
  const folder = join(packageRoot(), '.cache/fuzz');
  const path = writeCrasher(folder, { target: targetName, seed, caseIndex, fault, input });
  process.stdout.write(`  ${fault.kind}: ${fault.message}\n  ${fault.signature}\n  ${path}\n`);
}

async function replay(targetName: string, path: string): Promise<number> {
  const target = fuzzTargetNamed(targetName);
  const fault = await runCase(target, new Uint8Array(readFileSync(path)));
  process.stdout.write(fault === undefined ? 'no fault\n' : `${fault.message}\n${fault.signature}\n`);
  return fault === undefined ? 0 : 1;
}

function readOptions(values: {
  readonly target: string | undefined;
  readonly cases: string | undefined;
  readonly minutes: string | undefined;
  readonly seed: readonly string[] | undefined;
}): Options {
  const number = (text: string, what: string): number => {
    const value = Number(text);
    if (text !== '' && value >= 0 && Number.isFinite(value)) return value;
    throw new Error(`--${what} ${text}: a number expected\n${USAGE}`);
  };
  const { target, minutes, seed = ['1'] } = values;
  const isTimed = minutes !== undefined;
  return {
    targets: target === undefined ? FUZZ_TARGETS.map(({ name }) => name) : [fuzzTargetNamed(target).name],
    seeds: seed.map((text) =>
      text === 'random' ? Math.floor(Math.random() * 2 ** 32) : number(text, 'seed'),
    ),
    // Case numbers have 32 bits.
    cases: isTimed ? 2 ** 32 - 1 : number(values.cases ?? DEFAULT_CASES, 'cases'),
    milliseconds: isTimed ? number(minutes, 'minutes') * 60_000 : Number.MAX_SAFE_INTEGER,
  };
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      target: { type: 'string' },
      cases: { type: 'string' },
      minutes: { type: 'string' },
      seed: { type: 'string', multiple: true },
      replay: { type: 'string' },
    },
  });
  const { target, replay: path } = values;
  if (path === undefined) {
    return fuzz(readOptions({ target, cases: values.cases, minutes: values.minutes, seed: values.seed }));
  }
  if (target === undefined) throw new Error(`--replay needs --target\n${USAGE}`);
  return replay(target, path);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`fuzz: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}

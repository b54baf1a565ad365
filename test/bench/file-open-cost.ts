import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Assembler, ATTACH_TYPE, PROGRAM_TYPE, R0 } from '../../engine/bytecode/index.js';
import {
  attachTargetId,
  attachTracing,
  BpfProgram,
  enableRunTimeStatistics,
  ResourceStack,
} from '../../engine/kernel/index.js';
import { onePolicy, planPolicies } from '../host/plan-policies.js';
import { withSession } from './bench-session.js';
import type { FileOpener, Work } from './file-opener.js';
import { OpenInstructions } from './open-instructions.js';

const RING_BYTES = 16 * 1024 * 1024;
const OPENS = 30_000;
const ROUNDS = 3;
const RULE_COUNTS = [1, 10, 64] as const;

type TimedPart = 'otherCall' | 'empty' | 'nonMatching' | 'matching';

/** Instructions executed and nanoseconds spent in the kernel for an open that matches, and for one that does not. */
export async function fileOpenCost(): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'vespid-bench-'));
  try {
    const plain = join(folder, 'plain.txt');
    const secret = join(folder, 'secret');
    writeFileSync(plain, '');
    writeFileSync(secret, '');
    const instructions = Object.fromEntries(
      RULE_COUNTS.map((count) => [`${count} rules`, countInstructions(count, plain, secret)]),
    );
    return { instructions, nanoseconds: await measureTime(plain, secret) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Rules that compare the path with one constant each; the last with that of `secret`. */
function equalityRules(count: number, secret: string): string {
  return Array.from({ length: count }, (_, index) => {
    const path = index === count - 1 ? secret : `/etc/vespid/rule-${index}`;
    return onePolicy('file.open', `file.path == ${JSON.stringify(path)}`, 'audit', `rule-${index}`);
  }).join('---\n');
}

function countInstructions(ruleCount: number, plain: string, secret: string) {
  const [plan] = planPolicies(equalityRules(ruleCount, secret), { degrade: false });
  if (plan === undefined) throw new Error('no rule on file.open');
  using open = new OpenInstructions(plan);
  const nonMatching = open.measure(plain).instructions;
  const matching = open.measure(secret).instructions;
  return { nonMatching, matching, 'matching / non-matching': ratio(matching, nonMatching) };
}

/**
 * The tracepoint fires at the end of every system call of the machine, so the cost of an open is what is left of
 * a window's time when the other calls are taken off at the cost that a window without opens shows. An empty
 * program at the same place shows what the kernel's own work and the clock take.
 */
async function measureTime(plain: string, secret: string): Promise<Record<string, unknown>> {
  return withSession(equalityRules(1, secret), RING_BYTES, async ({ kernel, opener }) => {
    const [program] = kernel.objects.flatMap(({ loaded }) => loaded.programs);
    if (program === undefined) throw new Error('no program is loaded');
    using resources = new ResourceStack();
    const empty = resources.use(loadEmptyProgram());
    resources.use(attachTracing(empty));
    resources.use(enableRunTimeStatistics());
    const window = (work: Work) => timeWindow([program.program, empty], opener, work);
    await window({ kind: 'open', path: plain });
    const rounds: Record<TimedPart, number>[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const [otherOurs = 0, otherEmpty = 0] = (await window({ kind: 'stat' })).map(
        ({ ns, runs }) => ns / runs,
      );
      const perOpen = async (path: string) => {
        const [ours] = await window({ kind: 'open', path });
        return ours === undefined ? 0 : (ours.ns - otherOurs * (ours.runs - OPENS)) / OPENS;
      };
      const nonMatching = await perOpen(plain);
      rounds.push({ otherCall: otherOurs, empty: otherEmpty, nonMatching, matching: await perOpen(secret) });
    }
    // The least of several rounds: what disturbs a measurement only ever adds.
    const least = (key: TimedPart) => Math.min(...rounds.map((round) => round[key]));
    const result = {
      empty: least('empty'),
      otherCall: least('otherCall'),
      nonMatching: least('nonMatching'),
      matching: least('matching'),
    };
    return {
      ...Object.fromEntries(Object.entries(result).map(([name, ns]) => [name, Math.round(ns)])),
      'matching / non-matching': ratio(result.matching, result.nonMatching),
      'non-matching / empty': ratio(result.nonMatching, result.empty),
      'other call / empty': ratio(result.otherCall, result.empty),
      opens: OPENS,
      rounds: ROUNDS,
    };
  });
}

async function timeWindow(programs: readonly BpfProgram[], opener: FileOpener, work: Work) {
  const before = programs.map((program) => program.info());
  await opener.work(work, OPENS);
  return programs.map((program, index) => {
    const { runTimeNs, runCount } = program.info();
    const start = before[index];
    return {
      ns: Number(runTimeNs - (start?.runTimeNs ?? 0n)),
      runs: Number(runCount - (start?.runCount ?? 0n)),
    };
  });
}

function loadEmptyProgram(): BpfProgram {
  return BpfProgram.load({
    name: 'empty',
    type: PROGRAM_TYPE.tracing,
    expectedAttachType: ATTACH_TYPE['trace-raw-tp'],
    attachBtfId: attachTargetId({ kind: 'typedef', name: 'btf_trace_sys_exit' }),
    license: 'GPL',
    instructions: new Assembler('empty').moveImmediate(R0, 0).exit().finish().instructions,
    sleepable: false,
    btf: undefined,
    functionInfo: [],
  });
}

export function ratio(part: number, whole: number): number {
  return Math.round((part / whole) * 100) / 100;
}

import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CASE_LIMITS, type CaseLimits } from './limits.js';
import type { Fault } from './run-case.js';
import type { WorkerOrder, WorkerReport } from './worker-order.js';

export interface Found {
  readonly caseIndex: number;
  readonly fault: Fault;
}

export interface RunResult {
  readonly cases: number;
  readonly seconds: number;
  /** One of each signature: the first. */
  readonly found: readonly Found[];
}

export interface RunPlan {
  readonly target: string;
  readonly seed: number;
  readonly cases: number;
  readonly milliseconds: number;
  readonly corpusFolder: string;
  /** {@link CASE_LIMITS} if not said. */
  readonly limits?: CaseLimits;
  /** The compiled worker; the one beside this file if not said. */
  readonly workerPath?: string;
}

const WATCH_MS = 100;
/** A target that kills its worker this often has one fault that hides the others. */
const MOST_DEATHS = 20;

/** Runs cases of one target in a worker process under the limits of limits.ts, past every case that ends a worker. */
export async function watchedRun(plan: RunPlan): Promise<RunResult> {
  const start = performance.now();
  const found = new Map<string, Found>();
  const keep = (each: Found) => {
    if (!found.has(each.fault.signature)) found.set(each.fault.signature, each);
  };
  let nextCase = 0;
  for (let deaths = 0; nextCase < plan.cases && deaths < MOST_DEATHS; deaths++) {
    const millisecondsLeft = plan.milliseconds - (performance.now() - start);
    if (nextCase > 0 && millisecondsLeft <= 0) break;
    const end = await runWorker(plan, nextCase, millisecondsLeft, keep);
    nextCase = end.nextCase;
    if (end.death === undefined) break;
    keep({ caseIndex: nextCase - 1, fault: end.death });
  }
  return { cases: nextCase, seconds: (performance.now() - start) / 1000, found: [...found.values()] };
}

interface WorkerEnd {
  readonly nextCase: number;
  readonly death?: Fault;
}

function runWorker(
  plan: RunPlan,
  firstCase: number,
  milliseconds: number,
  keep: (found: Found) => void,
): Promise<WorkerEnd> {
  const progressFile = join(plan.corpusFolder, `progress-${plan.target}`);
  const { target, seed, cases, corpusFolder } = plan;
  const order: WorkerOrder = {
    target,
    seed,
    firstCase,
    endCase: cases,
    milliseconds,
    corpusFolder,
    progressFile,
  };
  const limits = plan.limits ?? CASE_LIMITS;
  const workerPath = plan.workerPath ?? fileURLToPath(new URL('worker.js', import.meta.url));
  const worker = fork(workerPath, [JSON.stringify(order)], {
    execArgv: [`--max-old-space-size=${limits.heapMiB}`],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    let done: number | undefined;
    let errorText = '';
    const watch = watchWorker(worker, progressFile, limits);
    worker.stderr?.on('data', (data: Buffer) => {
      errorText = (errorText + data.toString()).slice(-4000);
    });
    // Messages are those of worker.ts.
    worker.on('message', (message: WorkerReport) => {
      if (message.kind === 'fault') keep(message);
      else done = message.nextCase;
    });
    worker.on('error', reject);
    worker.on('exit', (code, signal) => {
      const verdict = watch.stop();
      if (done !== undefined) return resolve({ nextCase: done });
      const caseIndex = readProgress(progressFile);
      if (caseIndex === undefined) return reject(new Error(`the worker did not begin: ${errorText}`));
      resolve({ nextCase: caseIndex + 1, death: verdict ?? describeDeath(code, signal, errorText, limits) });
    });
  });
}

/** Ends a worker that spends too much on one case or that grows too large; `stop` says why it did. */
function watchWorker(
  worker: ChildProcess,
  progressFile: string,
  limits: CaseLimits,
): { stop: () => Fault | undefined } {
  let verdict: Fault | undefined;
  let lastCase: number | undefined;
  let cpuMsBefore = 0;
  const end = (fault: Fault) => {
    verdict = fault;
    worker.kill('SIGKILL');
  };
  const timer = setInterval(() => {
    const caseIndex = readProgress(progressFile);
    const usage = readUsage(worker.pid);
    if (usage === undefined || caseIndex === undefined) return;
    if (caseIndex !== lastCase) {
      lastCase = caseIndex;
      cpuMsBefore = usage.cpuMs;
    }
    if (usage.residentMiB > limits.residentMiB) {
      const message = `${Math.round(usage.residentMiB)} MiB resident, limit ${limits.residentMiB}`;
      end({ kind: 'memory', message, signature: 'memory: resident' });
    } else if (usage.cpuMs - cpuMsBefore > limits.cpuMs) {
      end({ kind: 'hang', message: `over ${limits.cpuMs} ms of CPU time`, signature: 'hang' });
    }
  }, WATCH_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return verdict;
    },
  };
}

function describeDeath(
  code: number | null,
  signal: NodeJS.Signals | null,
  errorText: string,
  limits: CaseLimits,
): Fault {
  const isHeap = errorText.includes('heap out of memory');
  const message = isHeap
    ? `a heap of more than ${limits.heapMiB} MiB`
    : `the worker ended with ${signal ?? code}: ${errorText.trim().split('\n').at(-1)}`;
  return {
    kind: isHeap ? 'memory' : 'crash',
    message,
    signature: isHeap ? 'memory: heap' : `crash ${signal ?? code}`,
  };
}

/** The case that the worker is at, or undefined before the first. */
function readProgress(path: string): number | undefined {
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  return bytes.byteLength < 4 ? undefined : bytes.readUInt32LE(0);
}

interface Usage {
  readonly cpuMs: number;
  readonly residentMiB: number;
}

/** Ticks of the kernel's clock in /proc, USER_HZ. */
const TICK_MS = 10;
const PAGES_PER_MIB = 256;

/** What a process has used, from /proc/PID/stat (proc(5): utime, stime and rss); undefined once it is gone. */
function readUsage(pid: number | undefined): Usage | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The name, in parentheses, may have spaces; the state, field 3, follows it.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [utime = 0, stime = 0, pages = 0] = [fields[11], fields[12], fields[21]];
  return { cpuMs: (utime + stime) * TICK_MS, residentMiB: pages / PAGES_PER_MIB };
}

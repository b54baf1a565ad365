/** Runs inside the guest, once: the requested test files or command, with messages to the host as it goes. */
import { spawn, spawnSync } from 'node:child_process';
import { openSync, readFileSync, writeSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { run } from 'node:test';
import { inspect } from 'node:util';
import {
  GUEST_REQUEST_PATH,
  GUEST_RESULT_DEVICE,
  type GuestMessage,
  type GuestRequest,
  NOT_APPLICABLE,
  type TestOutcome,
} from '../protocol.js';

const SUITE_TIMEOUT_MS = 200_000;
/** Enough for the trace of a fault; a failing test should not bury its own message. */
const KERNEL_LOG_LINES = 80;
const TEST_FILE = /\.guest\.js$/;
const SUITE = join(import.meta.dirname, 'suite.js');

const resultDevice = openSync(GUEST_RESULT_DEVICE, 'w');

function send(message: GuestMessage): void {
  const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
  for (let sent = 0; sent < bytes.length; ) sent += writeSync(resultDevice, bytes, sent);
}

/** The facts of a test's end that `run()` gives, whether it passed or failed. */
interface FinishedTest {
  readonly name: string;
  readonly nesting: number;
  readonly skip?: string | boolean | undefined;
  readonly details: {
    readonly duration_ms: number;
    readonly type?: string | undefined;
    readonly error?: Error;
  };
}

/** Turns the events of `run()` into messages, and counts failures. */
class Reporter {
  failedCount = 0;
  readonly #path: string[] = [];
  currentFile = '';

  /** Suites of nesting 0 are the files. */
  dequeued(test: { readonly name: string; readonly nesting: number }): void {
    if (test.nesting === 0 && TEST_FILE.test(test.name)) this.currentFile = test.name;
  }

  started(test: { readonly name: string; readonly nesting: number }): void {
    this.#path.splice(test.nesting, Number.POSITIVE_INFINITY, test.name);
  }

  finished(test: FinishedTest, passed: boolean): void {
    const error = test.details.error;
    // A file fails when something in it does, which was reported by itself; so does the process of them all.
    const isContainer = test.details.type === 'suite' || test.name === SUITE;
    if (isContainer && (passed || failureType(error) === 'subtestsFailed')) return;
    const [outcome, detail] = passed ? outcomeOfPass(test.skip) : (['failed', describeError(error)] as const);
    if (outcome === 'failed') this.failedCount++;
    send({
      type: 'test',
      file: this.currentFile,
      name: isContainer ? '(the file itself)' : this.#nameOf(test),
      outcome,
      durationMs: Math.round(test.details.duration_ms),
      ...(detail === undefined ? {} : { detail }),
    });
  }

  #nameOf(test: FinishedTest): string {
    return [...this.#path.slice(1, test.nesting), test.name].join(' > ');
  }
}

function outcomeOfPass(skip: string | boolean | undefined): [TestOutcome, string | undefined] {
  if (skip === undefined || skip === false) return ['passed', undefined];
  const reason = typeof skip === 'string' ? skip : '';
  return reason.startsWith(NOT_APPLICABLE)
    ? ['not-applicable', reason.slice(NOT_APPLICABLE.length)]
    : ['skipped', reason];
}

function failureType(error: Error | undefined): unknown {
  return error !== undefined && 'failureType' in error ? error.failureType : undefined;
}

/** node:test wraps what a test threw; that error says more than the wrapper. */
function describeError(error: Error | undefined): string {
  const thrown = error?.cause instanceof Error ? error.cause : error;
  return inspect(thrown)
    .split('\n')
    .filter((line) => !/^\s+at .*\(?(node:|<anonymous>)/.test(line))
    .join('\n');
}

async function runTests(): Promise<number> {
  const reporter = new Reporter();
  const events = run({ files: [SUITE], concurrency: 1, timeout: SUITE_TIMEOUT_MS });
  events.on('test:dequeue', (test) => reporter.dequeued(test));
  events.on('test:start', (test) => reporter.started(test));
  events.on('test:pass', (test) => reporter.finished(test, true));
  events.on('test:fail', (test) => reporter.finished(test, false));
  for (const stream of ['test:stdout', 'test:stderr'] as const) {
    events.on(stream, ({ message }: { file?: string; message: string }) => {
      send({ type: 'output', file: reporter.currentFile, text: message });
    });
  }
  events.resume();
  await finished(events);
  return reporter.failedCount === 0 ? 0 : 1;
}

function runCommand(command: string): Promise<number> {
  return new Promise((resolve) => {
    const shell = spawn('/usr/bin/sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [shell.stdout, shell.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => send({ type: 'output', file: '', text }));
    }
    shell.on('close', (code) => resolve(code ?? 1));
  });
}

/** The last lines that the kernel logged after the given time. */
function kernelLogSince(uptimeSeconds: number): string {
  return spawnSync('dmesg', { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => Number(/^\[ *([\d.]+)\]/.exec(line)?.[1]) > uptimeSeconds)
    .slice(-KERNEL_LOG_LINES)
    .join('\n');
}

async function main(): Promise<void> {
  // The host writes this file from the same type.
  const request = JSON.parse(readFileSync(GUEST_REQUEST_PATH, 'utf8')) as GuestRequest;
  const uptimeSeconds = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  send({ type: 'ready', release: release(), uptimeSeconds });
  let exitCode = 1;
  try {
    exitCode = request.command === undefined ? await runTests() : await runCommand(request.command);
  } catch (error) {
    send({ type: 'output', file: '', text: `${inspect(error)}\n` });
  }
  if (exitCode !== 0 && request.command === undefined) {
    const text = kernelLogSince(uptimeSeconds);
    if (text !== '') send({ type: 'kernel-log', text });
  }
  send({ type: 'end', exitCode });
}

await main();

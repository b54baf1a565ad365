import { basename } from 'node:path';
import type { KernelName } from './kernels.js';
import type { GuestMessage } from './protocol.js';
import type { BootResult } from './virtual-machine.js';

export interface Summary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly notApplicable: number;
}

type TestMessage = Extract<GuestMessage, { type: 'test' }>;

const MARKS = { passed: 'pass', failed: 'FAIL', skipped: 'skip', 'not-applicable': 'n/a ' } as const;

/** Prints one guest's messages as they come and keeps the counts. */
export class KernelReport {
  readonly kernel: KernelName;
  /** 1 until the guest has said that it came to its end. */
  exitCode = 1;
  readonly #live: boolean;
  readonly #isCommand: boolean;
  readonly #startedAtMs = Date.now();
  readonly #tests: TestMessage[] = [];
  readonly #outputByFile = new Map<string, string>();
  #release = '';
  #bootSeconds = 0;
  #ended = false;
  #elapsedSeconds = 0;

  constructor(kernel: KernelName, options: { readonly live: boolean; readonly isCommand: boolean }) {
    this.kernel = kernel;
    this.#live = options.live;
    this.#isCommand = options.isCommand;
  }

  receive(message: GuestMessage): void {
    switch (message.type) {
      case 'ready':
        this.#release = message.release;
        this.#bootSeconds = message.uptimeSeconds;
        break;
      case 'output':
        if (this.#live) process.stdout.write(message.text);
        this.#outputByFile.set(message.file, (this.#outputByFile.get(message.file) ?? '') + message.text);
        break;
      case 'test':
        this.#tests.push(message);
        this.#printTest(message);
        break;
      case 'kernel-log':
        this.#print(`kernel log of ${this.kernel}, its end`, message.text);
        break;
      case 'end':
        this.#ended = true;
        this.exitCode = message.exitCode;
        break;
    }
  }

  /** To be called when the guest is off. A guest that never said it was done counts as one failed test. */
  finish(result: BootResult, timeoutMs: number): void {
    this.#elapsedSeconds = (Date.now() - this.#startedAtMs) / 1000;
    const output = [...this.#outputByFile.values()].join('');
    const printOutput = (): void => {
      if (!this.#live && output !== '') this.#print(`output in ${this.kernel}`, output);
    };
    if (!this.#ended) {
      const timeout = `did not finish in ${timeoutMs / 1000} s`;
      this.#print(`console of ${this.kernel}, its end`, result.consoleTail);
      printOutput();
      this.#fail(`the guest ${result.timedOut ? timeout : 'went off before it was done'}`);
    } else if (this.#isCommand) {
      printOutput();
    } else if (this.exitCode !== 0 && !this.#tests.some(({ outcome }) => outcome === 'failed')) {
      printOutput();
      this.#fail('the runner failed; see its output');
    }
  }

  counts(): Summary {
    const count = (outcome: TestMessage['outcome']): number =>
      this.#tests.filter((test) => test.outcome === outcome).length;
    return {
      passed: count('passed'),
      failed: count('failed'),
      skipped: count('skipped'),
      notApplicable: count('not-applicable'),
    };
  }

  closingLine(): string {
    const { passed, failed, skipped, notApplicable } = this.counts();
    return (
      `kernel ${this.kernel} (${this.#release}): ${passed} passed, ${failed} failed, ${skipped} skipped, ` +
      `${notApplicable} not for it; runner up after ${this.#bootSeconds.toFixed(1)} s, ` +
      `off after ${this.#elapsedSeconds.toFixed(1)} s\n`
    );
  }

  #fail(detail: string): void {
    const durationMs = Date.now() - this.#startedAtMs;
    this.receive({
      type: 'test',
      file: '',
      name: '(the guest itself)',
      outcome: 'failed',
      durationMs,
      detail,
    });
  }

  #printTest(test: TestMessage): void {
    const file = basename(test.file).replace(/\.guest\.js$/, '');
    const place = file === '' ? test.name : `${file}: ${test.name}`;
    const reason = test.outcome === 'not-applicable' ? `: needs ${test.detail}` : `: ${test.detail}`;
    const suffix = test.outcome === 'failed' || test.detail === undefined ? '' : reason;
    process.stdout.write(
      `  ${MARKS[test.outcome]}  ${this.kernel.padEnd(4)}  ${place} (${test.durationMs} ms)${suffix}\n`,
    );
    if (test.outcome !== 'failed') return;
    if (test.detail !== undefined) process.stdout.write(indent(test.detail));
    const output = this.#outputByFile.get(test.file);
    if (file !== '' && output !== undefined && !this.#live)
      this.#print(`output of ${file} in ${this.kernel} so far`, output);
  }

  #print(title: string, text: string): void {
    process.stdout.write(`    --- ${title}\n${indent(text.trimEnd())}    ---\n`);
  }
}

export function sumOf(reports: readonly KernelReport[]): Summary {
  const total = { passed: 0, failed: 0, skipped: 0, notApplicable: 0 };
  for (const report of reports) {
    for (const key of ['passed', 'failed', 'skipped', 'notApplicable'] as const) {
      total[key] += report.counts()[key];
    }
  }
  return total;
}

function indent(text: string): string {
  return `${text.replace(/^/gm, '      ')}\n`;
}

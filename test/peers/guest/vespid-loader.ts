import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { LoadOutcome } from '../outcome.js';
import { removeAllPins } from './bpf-file-system.js';

const WORKER = join(import.meta.dirname, 'vespid-worker.js');

/**
 * Loads objects with Vespid in a process of its own, one after the other: the verifier may take minutes, and a
 * system call can only be ended with its process. Starting node costs seconds under emulation, so the process
 * stays for the next object unless it had to be ended.
 */
export class VespidLoader implements Disposable {
  #worker: ChildProcess | undefined;

  async load(path: string, limitMs: number): Promise<LoadOutcome> {
    // Importing the engine takes longer than most loads do and is no part of them.
    this.#worker ??= await startWorker();
    const worker = this.#worker;
    const startedAtMs = Date.now();
    try {
      const answer = await ask(worker, path, limitMs);
      if (answer !== undefined) return answer;
      this.#worker = undefined;
      const durationMs = Date.now() - startedAtMs;
      const { exitCode, signalCode } = worker;
      if (exitCode === null && signalCode === null) {
        worker.kill('SIGKILL');
        return { kind: 'over-limit', durationMs };
      }
      return { kind: 'refused', reason: `the loading process ended (${signalCode ?? exitCode})`, durationMs };
    } finally {
      removeAllPins();
    }
  }

  [Symbol.dispose](): void {
    this.#worker?.kill('SIGKILL');
  }
}

async function startWorker(): Promise<ChildProcess> {
  const worker = fork(WORKER, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('exit', () => reject(new Error('the loading process ended before it was ready')));
  });
  return worker;
}

/** The worker's answer, or undefined if it ended or is over the limit. */
function ask(worker: ChildProcess, path: string, limitMs: number): Promise<LoadOutcome | undefined> {
  return new Promise((resolve) => {
    const finish = (outcome: LoadOutcome | undefined): void => {
      clearTimeout(timer);
      worker.removeAllListeners('message');
      worker.removeAllListeners('exit');
      resolve(outcome);
    };
    const timer = setTimeout(() => finish(undefined), limitMs);
    worker.once('message', (message) => finish(message as LoadOutcome)); // from vespid-worker.ts
    worker.once('exit', () => finish(undefined));
    worker.send(path);
  });
}

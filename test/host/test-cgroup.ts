import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cgroupRoot } from '../../engine/kernel/index.js';

/** What became of a program that was run inside. */
export interface Outcome {
  readonly pid: number;
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How long a child may run before it is ended: none of them has anything to wait for. */
const CHILD_TIMEOUT_MS = 20_000;

/** A cgroup v2 directory of this test, and the programs that it runs there. */
export class TestCgroup implements AsyncDisposable {
  readonly path: string;

  constructor(name: string) {
    this.path = join(cgroupRoot(), `vespid-test-${process.pid}-${name}`);
    mkdirSync(this.path);
  }

  /** Runs a program inside, to its end: a shell moves itself and becomes the program, so the pid stays. */
  run(command: readonly string[], options: { readonly input?: string } = {}): Outcome {
    return runShell('echo $$ > "$0/cgroup.procs" || exit 99; exec "$@"', [this.path, ...command], options);
  }

  /** Runs a program as {@link run} does, but outside. */
  static runOutside(command: readonly string[]): Outcome {
    return runShell('exec "$@"', ['sh', ...command], {});
  }

  /** The processes inside. */
  processes(): number[] {
    return readFileSync(join(this.path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  }

  /** Ends what a test left inside; only its own children can be there. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      for (const pid of this.processes()) process.kill(pid, 'SIGKILL');
      try {
        rmdirSync(this.path);
        return;
      } catch (error) {
        // EBUSY: a process that was just killed is still on its way out.
        if (attempt === 50) throw error;
        await sleep(20);
      }
    }
  }
}

function runShell(
  script: string,
  parameters: readonly string[],
  options: { readonly input?: string },
): Outcome {
  const child = spawnSync('/bin/sh', ['-c', script, ...parameters], {
    encoding: 'utf8',
    timeout: CHILD_TIMEOUT_MS,
    input: options.input ?? '',
  });
  if (child.error !== undefined) throw child.error;
  const { pid, status, signal, stdout, stderr } = child;
  return { pid, status, signal, stdout, stderr };
}

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The compiled command line, as a user runs it. */
export const MAIN = join(
  dirname(createRequire(import.meta.url).resolve('vespid/package.json')),
  'dist/engine/cli/main.js',
);
/** Generous: under emulation a start takes many seconds. */
const READY_TIMEOUT_MS = 60_000;

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export function vespid(args: readonly string[], options: { readonly uid?: number } = {}): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    ...options,
  });
  return { status, stdout, stderr };
}

/** A folder with a key pair, a trust policy and a signed bundle; removed when disposed. */
export class SignedFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'vespid-test-'));
  readonly trust = join(this.path, 'trust.yaml');
  readonly bundle = join(this.path, 'test.bundle');

  constructor(policies: string) {
    // mkdtemp gives 0700; one test reads as another user.
    chmodSync(this.path, 0o755);
    writeFileSync(join(this.path, 'policies.yaml'), policies);
    writeFileSync(
      this.trust,
      'apiVersion: vespid.dev/v1\nkind: TrustPolicy\nthreshold: 1\nkeys:\n  - id: ci\n    publicKey: ci.pub\n',
    );
    this.#must(['keygen', '--out', join(this.path, 'ci')]);
    this.#must([
      'sign',
      join(this.path, 'policies.yaml'),
      '--key',
      join(this.path, 'ci.key'),
      '--out',
      this.bundle,
    ]);
  }

  file(name: string): string {
    return join(this.path, name);
  }

  #must(args: readonly string[]): void {
    const { status, stderr } = vespid(args);
    if (status !== 0) throw new Error(`vespid ${args[0]} failed: ${stderr}`);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/**
 * `vespid run …` in the background. Without a `--state` among the arguments it has no memory, so that no test leaves one
 * on the host.
 */
export class RunningVespid implements AsyncDisposable {
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;

  constructor(args: readonly string[]) {
    const memory = args.includes('--state') ? [] : ['--no-state'];
    const child = spawn(process.execPath, [MAIN, 'run', ...memory, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    this.#child = child;
    this.#closed = once(child, 'close');
  }

  /** Resolves when standard error has the text; rejects when the process ends first. */
  async says(text: string): Promise<void> {
    const deadline = Date.now() + READY_TIMEOUT_MS;
    while (!this.stderr.includes(text)) {
      if (this.#child.exitCode !== null)
        throw new Error(`vespid run ended with ${this.#child.exitCode}: ${this.stderr}`);
      if (Date.now() > deadline)
        throw new Error(`vespid run did not say ${JSON.stringify(text)}: ${this.stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    if (this.#child.exitCode === null) this.#child.kill(signal);
    await this.#closed;
    return { status: this.#child.exitCode, stdout: this.stdout, stderr: this.stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill('SIGKILL');
    await this.#closed;
  }
}

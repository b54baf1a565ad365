import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** What a worker does over and over: opens and closes a file, or asks for the size of an open one. */
export type Work = { readonly kind: 'open'; readonly path: string } | { readonly kind: 'stat' };

/** Runs as a program of its own in the cgroup: a line of JSON in, `done` out. */
const WORKER = `
const fs = require('node:fs');
const fd = fs.openSync('/dev/null', 'r');
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { kind, path, count } = JSON.parse(line);
  if (kind === 'open') for (let i = 0; i < count; i++) fs.closeSync(fs.openSync(path, 'r'));
  else for (let i = 0; i < count; i++) fs.fstatSync(fd);
  console.log('done');
});
console.log('ready');
`;

/** A process in a cgroup that opens files when told to. */
export class FileOpener implements Disposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>) {
    this.#child = child;
    this.#lines = lines;
  }

  static async start(cgroupPath: string): Promise<FileOpener> {
    const script = 'echo $$ > "$0/cgroup.procs" || exit 99; exec "$@"';
    const child = spawn('/bin/sh', ['-c', script, cgroupPath, process.execPath, '-e', WORKER], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const opener = new FileOpener(child, createInterface({ input: child.stdout })[Symbol.asyncIterator]());
    await opener.#answer('ready');
    return opener;
  }

  async work(work: Work, count: number): Promise<void> {
    this.#child.stdin?.write(`${JSON.stringify({ ...work, count })}\n`);
    await this.#answer('done');
  }

  async stop(): Promise<void> {
    const closed = once(this.#child, 'close');
    this.#child.stdin?.end();
    await closed;
  }

  async #answer(expected: string): Promise<void> {
    const { value } = await this.#lines.next();
    if (value !== expected) throw new Error(`the opener said ${String(value)}, not ${expected}`);
  }

  /** For the way out after an error; after `stop` it does nothing. */
  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}

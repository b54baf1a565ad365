import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ShellRun {
  readonly exitCode: number | null;
  /** Standard output and error, as they came. */
  readonly log: string;
}

/** Runs one program with exactly this environment. Asynchronous, so that servers of this process can answer it. */
export async function runShell(
  argv: readonly [program: string, ...args: string[]],
  directory: string,
  environment: Readonly<Record<string, string>>,
): Promise<ShellRun> {
  const [program, ...args] = argv;
  const child = spawn(program, args, {
    cwd: directory,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      log += text;
    });
  }
  const [exitCode] = await once(child, 'close');
  return { exitCode: typeof exitCode === 'number' ? exitCode : null, log };
}

/** What a runner's own environment has, and nothing of the test's. */
export function runnerEnvironment(home: string): Record<string, string> {
  const { PATH = '/usr/bin:/bin' } = process.env;
  return { PATH, HOME: home, LANG: 'C.UTF-8', CI: 'true' };
}

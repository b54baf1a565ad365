import { spawnSync } from 'node:child_process';

/** Runs a program to its end and returns its output; throws with its error output if it fails. */
export function runTool(program: string, args: readonly string[], options: { cwd?: string } = {}): string {
  const result = spawnSync(program, args, {
    cwd: options.cwd,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (result.error !== undefined) {
    throw new Error(`cannot run ${program}: ${result.error.message}`, { cause: result.error });
  }
  if (result.status !== 0) {
    throw new Error(`${program} ${args.join(' ')} ended with ${result.status}: ${result.stderr.trim()}`);
  }
  return result.stdout;
}

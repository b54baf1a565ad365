import { spawnSync } from 'node:child_process';

/** Where administrators' tools are, which a user's PATH may leave out. */
export const TOOL_ENVIRONMENT = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };

/** Runs a program to its end and gives its standard output. */
export function runProcess(program: string, args: readonly string[]): string {
  const result = spawnSync(program, args, {
    env: TOOL_ENVIRONMENT,
    encoding: 'utf8',
    // The header of a kernel's types has some 4 MB.
    maxBuffer: 256 * 1024 * 1024,
  });
  if (result.status === 0) return result.stdout;
  throw new Error(`${program} ${args.join(' ')}: ${result.error?.message ?? result.stderr.slice(0, 4000)}`);
}

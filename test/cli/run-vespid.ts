import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runProgram } from '../../engine/cli/program.js';

export const ROOT = resolve(import.meta.dirname, '../..');
export const MAIN = join(ROOT, 'dist/engine/cli/main.js');
export const LIBRARY = join(ROOT, 'policies/library');

export interface RunResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process, from the source. */
export async function runVespid(...args: readonly string[]): Promise<RunResult> {
  const written = { stdout: '', stderr: '' };
  const exitCode = await runProgram(args, {
    writeOut: (text) => {
      written.stdout += text;
    },
    writeErr: (text) => {
      written.stderr += text;
    },
  });
  return { exitCode, ...written };
}

/** Runs the compiled program as users do. */
export function spawnVespid(...args: readonly string[]): RunResult {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
  return { exitCode: status, stdout, stderr };
}

/** A directory of its own, gone at the end of the scope. */
export class Workspace implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'vespid-cli-'));

  path(...names: readonly string[]): string {
    return join(this.directory, ...names);
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** The smallest trust policy of the README. */
export function trustPolicyText(publicKeyFile: string): string {
  return `apiVersion: vespid.dev/v1
kind: TrustPolicy
threshold: 1
keys:
  - id: ci
    publicKey: ${publicKeyFile}
`;
}

export function policyText(
  options: { name?: string; hook?: string; when?: string; effect?: string } = {},
): string {
  const { name = 'sample', hook = 'file.open', when = 'file.name == "secret"', effect = 'audit' } = options;
  return `apiVersion: vespid.dev/v1
kind: Policy
metadata: { name: ${name} }
spec:
  severity: low
  rules:
    - hook: ${hook}
      when: '${when}'
      effect: ${effect}
`;
}

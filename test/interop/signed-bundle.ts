import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect } from 'vitest';
import { policyText, type RunResult, runVespid, Workspace } from '../cli/run-vespid.js';

/** A signed bundle as users make it, in a folder of its own, with the trust policy that accepts it. */
export class SignedBundle extends Workspace {
  readonly bundle = this.path('starter.bundle');
  readonly trust = this.path('trust.yaml');

  /** @param signers one key for each; the trust policy asks for all of them */
  static async create(signers: readonly string[] = ['ci']): Promise<SignedBundle> {
    const made = new SignedBundle();
    writeFileSync(made.path('policy.yaml'), policyText({ name: 'sample' }));
    for (const signer of signers) await succeed('keygen', '--out', made.path(signer));
    await made.sign(signers[0] ?? 'ci');
    made.requireSigners(signers);
    return made;
  }

  /** Signs the policy anew, which gives the same manifest every time. */
  async sign(signer: string, out = this.bundle): Promise<void> {
    const key = this.path(`${signer}.key`);
    await succeed(
      'sign',
      this.path('policy.yaml'),
      '--key',
      key,
      '--out',
      out,
      '--name',
      basename(this.bundle, '.bundle'),
    );
  }

  /** Writes a trust policy that asks for every one of the signers. */
  requireSigners(signers: readonly string[]): void {
    const keys = signers.map((signer) => `  - { id: ${signer}, publicKey: ${signer}.pub }`);
    const head = ['apiVersion: vespid.dev/v1', 'kind: TrustPolicy', `threshold: ${signers.length}`, 'keys:'];
    writeFileSync(this.trust, `${[...head, ...keys].join('\n')}\n`);
  }
}

/** Runs a command that has to succeed, and gives what it prints with `--json`. */
export async function succeed(...args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  return readResult(await runVespid(...args, '--json'));
}

export function readResult({ exitCode, stdout, stderr }: RunResult): Readonly<Record<string, unknown>> {
  expect({ exitCode, stderr, stdout: exitCode === 0 ? '' : stdout }).toEqual({
    exitCode: 0,
    stderr: '',
    stdout: '',
  });
  return Object(JSON.parse(stdout));
}

/** Runs a command that has to fail, and gives the error that it prints with `--json`. */
export async function fail(...args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const { exitCode, stdout } = await runVespid(...args, '--json');
  expect(exitCode).not.toBe(0);
  return Object(JSON.parse(stdout)).error;
}

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';

/** A folder in which the `openssl` command works; gone at the end of the scope. */
export class OpensslFolder implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'vespid-openssl-'));

  /** Writes a file and gives its path. */
  write(name: string, content: string | Uint8Array): string {
    writeFileSync(this.path(name), content, { mode: 0o600 });
    return this.path(name);
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Runs openssl in the folder, where it must succeed, and gives what it prints. */
  run(...args: readonly string[]): string {
    const { status, stdout, stderr } = this.try(...args);
    expect(status, stderr).toBe(0);
    return stdout;
  }

  try(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
    return spawnSync('openssl', args, { cwd: this.directory, encoding: 'utf8' });
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

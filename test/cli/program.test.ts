import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../../engine/cli/program.js';
import { MAIN, ROOT, runVespid, spawnVespid } from './run-vespid.js';

const COMMANDS = buildProgram({ writeOut: () => undefined, writeErr: () => undefined }).commands;

/** `verify`, and behind each group what is in it: `trust`, `trust show`. */
function pathsOf(commands: readonly Command[], group = ''): readonly string[] {
  return commands.flatMap((command) => {
    const path = `${group}${command.name()}`;
    return [path, ...pathsOf(command.commands, `${path} `)];
  });
}

describe('the program', () => {
  it('says its version', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(await runVespid('--version')).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' });
  });

  it('has every command of its contract', () => {
    expect(COMMANDS.map((command) => command.name())).toEqual([
      ...['keygen', 'compile', 'sign', 'push', 'pull', 'verify', 'inspect', 'trust', 'doctor', 'run', 'demo'],
      ...['disasm', 'asm', 'completion'],
    ]);
  });

  it('lists the commands under headings', async () => {
    const { exitCode, stdout } = await runVespid('--help');
    expect(exitCode).toBe(0);
    for (const heading of ['Sign, in CI:', 'Judge a bundle:', 'Enforce, on a node:']) {
      expect(stdout).toContain(`\n${heading}\n`);
    }
    expect(stdout).toContain('Exit codes: 0 ok');
  });

  it.each(pathsOf(COMMANDS))('shows examples in the help of %s', async (path) => {
    const words = path.split(' ');
    for (const args of [
      [...words, '--help'],
      [...words.slice(0, -1), 'help', ...words.slice(-1)],
    ]) {
      const { exitCode, stdout, stderr } = await runVespid(...args);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(stdout).toMatch(new RegExp(`^Usage: vespid ${path} `));
      expect(stdout).toContain(`\nExamples:\n`);
    }
  });

  it('shows its help on standard error, as a usage error, when nothing is asked of it', async () => {
    const { exitCode, stdout, stderr } = await runVespid();
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^Usage: vespid /);
  });

  it('suggests what may have been meant', async () => {
    expect((await runVespid('inspekt')).stderr).toContain('Did you mean inspect?');
  });
});

describe('the process', { timeout: 30_000 }, () => {
  it('ends quietly when nobody reads on', () => {
    const script = `set -o pipefail; "$0" "$1" help | true`;
    const { status, stderr } = spawnSync('bash', ['-c', script, process.execPath, MAIN], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('fails when its result cannot be written', () => {
    const script = '"$0" "$1" help > /dev/full';
    const { status, stderr } = spawnSync('bash', ['-c', script, process.execPath, MAIN], {
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^OUTPUT_FAILED: .*ENOSPC/);
    expect(stderr.split('\n')).toHaveLength(2);
  });

  it('has the exit code of the error', () => {
    expect(spawnVespid('inspect', '/nonexistent')).toMatchObject({ exitCode: 2, stdout: '' });
  });
});

describe('doctor', () => {
  it('describes this machine, or says with a code why it cannot', async () => {
    const { exitCode, stdout, stderr } = await runVespid('doctor', '--json');
    expect(stderr).toBe('');
    const value: unknown = JSON.parse(stdout);
    if (exitCode === 0) {
      const hooks = [{ hook: 'process.exec' }, { hook: 'file.open' }, { hook: 'net.connect' }];
      expect(value).toMatchObject({ ok: true, features: { ringBuffer: { since: '5.8' } }, hooks });
    } else {
      expect(exitCode).toBe(4);
      expect(value).toMatchObject({ ok: false, error: { code: expect.stringMatching(/^KERNEL_/) } });
    }
  });
});

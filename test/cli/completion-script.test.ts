import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { SHELLS } from '../../engine/cli/completion-script.js';
import { runVespid } from './run-vespid.js';

/** What bash offers after these words; the last one is being typed. */
async function offers(...words: readonly string[]): Promise<string[]> {
  const { stdout: script } = await runVespid('completion', 'bash');
  const driver = `
    eval "$(cat)"
    COMP_WORDS=(vespid "$@"); COMP_CWORD=$#
    _vespid vespid "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD-1]}"
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', driver, 'bash', ...words], {
    input: script,
    encoding: 'utf8',
    cwd: '/',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.split('\n').filter((line) => line !== '');
}

describe('completion', () => {
  it.each(SHELLS)('has every command and option in its script for %s', async (shell) => {
    const { exitCode, stdout } = await runVespid('completion', shell);
    expect(exitCode).toBe(0);
    for (const word of [
      'keygen',
      'compile',
      'sign',
      'verify',
      'inspect',
      'doctor',
      'run',
      'demo',
      'asm',
      'disasm',
    ]) {
      expect(stdout).toContain(word);
    }
    for (const option of ['trust', 'degrade', 'force']) expect(stdout).toContain(option);
  });

  it.each([
    { words: ['ver'], offered: ['verify'] },
    { words: ['verify', '--t'], offered: ['--trust'] },
    { words: ['keygen', '--f'], offered: ['--force'] },
    { words: ['run', '--gate', ''], offered: ['enforce', 'audit'] },
    { words: ['completion', ''], offered: ['bash', 'zsh', 'fish'] },
    { words: ['disasm', '--style', 'k'], offered: ['kernel'] },
    { words: ['asm', '--r'], offered: ['--raw'] },
    { words: ['trust', 'sh'], offered: ['show'] },
    { words: ['trust', 'show', '--j'], offered: ['--json'] },
    { words: ['trust', 'show', '/et'], offered: ['/etc'] },
    { words: ['trust', '--h'], offered: ['--help'] },
    { words: ['help', 'do'], offered: ['doctor'] },
    { words: ['sign', 'et'], offered: ['etc'] },
    { words: ['sign', '--key'], offered: ['--key', '--key-env', '--keyless'] },
    { words: ['keygen', '--en'], offered: ['--encrypt'] },
    { words: ['sign', 'a.yaml', '--key', '/et'], offered: ['/etc'] },
  ])('offers $offered after $words', async ({ words, offered }) => {
    expect(await offers(...words)).toEqual(offered);
  });
});

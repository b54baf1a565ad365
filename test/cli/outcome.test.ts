import { describe, expect, it } from 'vitest';
import { exitCodeOf, toJsonLine } from '../../engine/cli/outcome.js';
import { VespidError } from '../../engine/errors/index.js';

async function outcomeOf(error: unknown, ...args: readonly string[]) {
  const written = { stdout: '', stderr: '' };
  const fail = () => Promise.reject(error);
  const exitCode = await exitCodeOf(fail, args, {
    writeOut: (text) => {
      written.stdout += text;
    },
    writeErr: (text) => {
      written.stderr += text;
    },
  });
  return { exitCode, ...written };
}

const REFUSED = new VespidError('PROGRAM_REFUSED', 'the verifier refused program p', {
  log: '0: (95) exit\nR0 !read_ok\n',
  details: { cookie: 2n ** 60n },
});

describe('a failed command', () => {
  it('prints a log only when asked to', async () => {
    expect(await outcomeOf(REFUSED)).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'PROGRAM_REFUSED: the verifier refused program p\n',
    });
    expect((await outcomeOf(REFUSED, '--verbose')).stderr).toBe(
      'PROGRAM_REFUSED: the verifier refused program p\n0: (95) exit\nR0 !read_ok\n',
    );
  });

  it('prints the whole error as JSON', async () => {
    const { stdout, stderr } = await outcomeOf(REFUSED, 'run', '--json');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({
      ok: false,
      error: {
        code: 'PROGRAM_REFUSED',
        message: 'the verifier refused program p',
        details: { cookie: '1152921504606846976' },
        log: REFUSED.log,
      },
    });
  });

  it('hides the stack of a fault of its own until it is asked for', async () => {
    const fault = new TypeError('x is not a function');
    const brief = await outcomeOf(fault);
    expect(brief.exitCode).toBe(1);
    expect(brief.stderr).toMatch(/^INTERNAL: x is not a function\nhint: .*--verbose/);
    expect(brief.stderr).not.toContain('outcome.test');
    expect((await outcomeOf(fault, '--json')).stdout).not.toContain('outcome.test');
    expect((await outcomeOf(fault, '--verbose')).stderr).toContain('outcome.test');
  });

  it('survives what is no error at all', async () => {
    expect((await outcomeOf('just text')).stderr).toMatch(/^INTERNAL: just text\n/);
  });

  it('keeps a hostile file from steering the terminal', async () => {
    const hostile = new VespidError('POLICY_SCHEMA', 'found \u001b[2J\u202ename', { hint: 'C:\\temp\ttab' });
    expect((await outcomeOf(hostile)).stderr).toBe(
      'POLICY_SCHEMA: found \\x1b[2J\\u202ename\nhint: C:\\temp\ttab\n',
    );
  });
});

describe('toJsonLine', () => {
  it('writes one line', () => {
    expect(toJsonLine({ text: 'a\nb', big: 1n })).toBe('{"text":"a\\nb","big":"1"}\n');
  });
});

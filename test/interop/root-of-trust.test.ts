import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAIN, ROOT } from '../cli/run-vespid.js';

interface Step {
  readonly commands: string;
  /** Code of the refusal that the page announces; undefined: the commands work. */
  readonly refused: string | undefined;
}

/** The shell blocks of the page, in order; those in a list are indented. */
function stepsOf(page: string): readonly Step[] {
  return [...page.matchAll(/^( *)```sh\n([\s\S]*?)^\1```$/gm)].map(([, indent = '', block = '']) => {
    const commands = block.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
    return { commands, refused: /^# refused: ([A-Z_]+)$/m.exec(commands)?.[1] };
  });
}

const page = readFileSync(join(ROOT, 'docs/root-of-trust.md'), 'utf8')
  // The page gives dates that people would choose; the test has to work after them, too.
  .replaceAll(/\b20(?=2\d-\d\d-\d\d)/g, '29');

/** `vespid`, with the node's state file in the working directory instead of /var/lib. */
const VESPID = `
vespid() {
  case "$1 $2 $*" in
    *--state*) ;;
    "trust update "* | "trust state "*) set -- "$@" --state "$PWD/node/state.json" ;;
  esac
  "$NODE" "$MAIN" "$@"
}
set -euo pipefail
`;

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'vespid-root-of-trust-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('docs/root-of-trust.md', { timeout: 60_000 }, () => {
  const steps = stepsOf(page);

  test('has the steps of a ceremony', () => {
    expect(steps.length).toBeGreaterThan(12);
    expect(steps.filter(({ refused }) => refused !== undefined).length).toBeGreaterThan(3);
  });

  const titled = steps.map((step, index) => ({ ...step, title: titleOf(step.commands, index) }));
  test.each(titled)('$title', ({ commands, refused }) => {
    const { status, stderr } = spawnSync('bash', ['-c', VESPID + commands], {
      cwd: directory,
      encoding: 'utf8',
      env: { ...process.env, NODE: process.execPath, MAIN },
    });
    if (refused === undefined) expect(status, stderr).toBe(0);
    else {
      expect(stderr).toContain(`${refused}: `);
      expect([1, 3]).toContain(status);
    }
  });
});

/** The number and the last command of a step. */
function titleOf(commands: string, index: number): string {
  return `${index + 1}: ${commands.trimEnd().split('\n').at(-1)}`;
}

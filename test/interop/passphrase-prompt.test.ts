import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parsePrivateKey } from '../../signing/index.js';
import { MAIN } from '../cli/run-vespid.js';
import { OpensslFolder } from './openssl.js';

/** Runs the built program at a terminal of its own, types an answer after each question, and gives what it showed. */
function atTerminal(
  args: readonly string[],
  answers: readonly string[],
): Promise<{ exitCode: number; shown: string }> {
  const words = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ');
  const { VESPID_PASSPHRASE: _, ...environment } = process.env;
  const terminal = spawn('script', ['-qec', words, '/dev/null'], { env: environment });
  const left = [...answers];
  let [shown, seen] = ['', 0];
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    const questions = shown.match(/(passphrase|again|Passphrase of .*): /g)?.length ?? 0;
    for (; seen < questions; seen += 1) terminal.stdin.write(`${left.shift() ?? ''}\r`);
  });
  return new Promise((resolve, reject) => {
    terminal.once('error', reject);
    terminal.once('close', (exitCode) => resolve({ exitCode: exitCode ?? -1, shown }));
  });
}

test('keygen --encrypt asks twice and shows nothing of the answers', async () => {
  using folder = new OpensslFolder();
  const typed = ['secret words☂x\u007f', 'secret words☂'];
  const { exitCode, shown } = await atTerminal(['keygen', '--encrypt', '--out', folder.path('a')], typed);
  expect({ exitCode, shown }).toMatchObject({
    exitCode: 0,
    shown: expect.stringContaining('The same again: '),
  });
  expect(shown).not.toMatch(/secret|words/);
  parsePrivateKey(readFileSync(folder.path('a.key'), 'utf8'), 'a.key', 'secret words☂');
});

test('keygen --encrypt writes nothing when the answers differ', async () => {
  using folder = new OpensslFolder();
  const typed = ['secret words', 'other words'];
  const { exitCode, shown } = await atTerminal(['keygen', '--encrypt', '--out', folder.path('a')], typed);
  expect({ exitCode, shown }).toMatchObject({
    exitCode: 2,
    shown: expect.stringContaining('KEY_PASSPHRASE_INVALID'),
  });
  expect(shown).not.toMatch(/secret|words/);
  expect(existsSync(folder.path('a.key'))).toBe(false);
});

test('Ctrl-C at the question ends the program as it ends others', async () => {
  using folder = new OpensslFolder();
  const { exitCode } = await atTerminal(['keygen', '--encrypt', '--out', folder.path('a')], ['half\u0003']);
  // 128 + SIGINT, as shells and `script -e` say it.
  expect(exitCode).toBe(130);
  expect(existsSync(folder.path('a.key'))).toBe(false);
});

import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parsePrivateKey } from '../../signing/index.js';
import { atTerminal } from './at-terminal.js';
import { OpensslFolder } from './openssl.js';

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

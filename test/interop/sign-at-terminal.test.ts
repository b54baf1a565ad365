import { expect, test } from 'vitest';
import { policyText, runVespid } from '../cli/run-vespid.js';
import { atTerminal } from './at-terminal.js';
import { OpensslFolder } from './openssl.js';

const PASSPHRASE = 'correct horse';

/** A policy, and a key under {@link PASSPHRASE}. */
async function prepare(folder: OpensslFolder): Promise<string[]> {
  const passphrase = ['--encrypt', '--passphrase-file', folder.write('passphrase', PASSPHRASE)];
  expect((await runVespid('keygen', '--out', folder.path('ci'), ...passphrase)).exitCode).toBe(0);
  const policy = folder.write('policy.yaml', policyText({ name: 'sample' }));
  return ['sign', policy, '--key', folder.path('ci.key'), '--out', folder.path('x.bundle')];
}

test('sign asks for the passphrase first, then says what it is at', async () => {
  using folder = new OpensslFolder();
  const { exitCode, shown } = await atTerminal(await prepare(folder), [PASSPHRASE]);
  expect(exitCode, shown).toBe(0);
  expect(shown).toMatch(/Passphrase of .*ci\.key: .*compiling 1 file\r.*signing with key .*signed by/s);
  expect(shown).not.toContain(PASSPHRASE);
});

test('sign --json says nothing but the result, and asks all the same', async () => {
  using folder = new OpensslFolder();
  const { exitCode, shown } = await atTerminal([...(await prepare(folder)), '--json'], [PASSPHRASE]);
  expect(exitCode, shown).toBe(0);
  expect(shown).not.toMatch(/compiling|signing with/);
  expect(shown).toContain('"ok":true');
});

test('sign refuses a wrong passphrase and shows nothing of it', async () => {
  using folder = new OpensslFolder();
  const { exitCode, shown } = await atTerminal(await prepare(folder), ['wrong words']);
  expect({ exitCode, shown }).toMatchObject({
    exitCode: 1,
    shown: expect.stringContaining('KEY_PASSPHRASE_WRONG'),
  });
  expect(shown).not.toContain('wrong words');
});

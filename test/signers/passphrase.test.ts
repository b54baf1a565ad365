import { describe, expect, test } from 'vitest';
import { chooseNewPassphrase, findPassphrase } from '../../engine/signers/passphrase.js';
import { PassphraseLine } from '../../engine/signers/passphrase-line.js';
import { expectRejection, SampleSurroundings } from './sample-surroundings.js';

describe('the passphrase of a key', () => {
  test.each([
    { name: 'with a line end', content: 'from a file\n' },
    { name: 'with that of Windows', content: 'from a file\r\n' },
    { name: 'without', content: 'from a file' },
  ])('is the only line of the file, $name', async ({ content }) => {
    using surroundings = new SampleSurroundings();
    Object.assign(surroundings.environment, { VESPID_PASSPHRASE: 'from the environment' });
    const passphraseFile = surroundings.write('pass', content);
    const found = await findPassphrase('ci.key', { passphraseFile }, surroundings);
    expect(found).toEqual({ text: 'from a file', warnings: [] });
  });

  test.each([
    { name: 'VESPID_PASSPHRASE', options: {}, text: 'default' },
    { name: 'the named variable', options: { passphraseEnv: 'OTHER' }, text: 'other' },
  ])('comes from $name', async ({ options, text }) => {
    using surroundings = new SampleSurroundings();
    Object.assign(surroundings.environment, { VESPID_PASSPHRASE: 'default', OTHER: 'other' });
    expect(await findPassphrase('ci.key', options, surroundings)).toEqual({ text, warnings: [] });
    expect(surroundings.questions).toEqual([]);
  });

  test('is asked for at the terminal, naming the key', async () => {
    using surroundings = new SampleSurroundings();
    surroundings.answers.push('typed');
    expect(await findPassphrase('ci.key', {}, surroundings)).toEqual({ text: 'typed', warnings: [] });
    expect(surroundings.questions).toEqual(['Passphrase of ci.key: ']);
  });

  test('is none without a terminal', async () => {
    using surroundings = new SampleSurroundings();
    expect(await findPassphrase('ci.key', {}, surroundings)).toBeUndefined();
  });

  test('in a file that others can read gives a warning', async () => {
    using surroundings = new SampleSurroundings();
    const passphraseFile = surroundings.write('pass', 'secret\n', 0o644);
    const found = await findPassphrase('ci.key', { passphraseFile }, surroundings);
    expect(found?.warnings).toEqual([expect.stringContaining('mode 0644')]);
  });

  test.each([
    { name: 'an empty file', content: '' },
    { name: 'an empty line', content: '\n' },
    { name: 'two lines', content: 'secret\nsecret\n' },
    { name: 'a NUL', content: 'secret\0' },
    { name: 'other bytes than UTF-8', content: Uint8Array.of(0xff, 0xfe) },
    { name: 'a long file', content: 'x'.repeat(2000) },
  ])('is not in $name, and no message quotes it', async ({ content }) => {
    using surroundings = new SampleSurroundings();
    const passphraseFile = surroundings.write('pass', content);
    const refusal = await expectRejection(
      'KEY_PASSPHRASE_INVALID',
      findPassphrase('ci.key', { passphraseFile }, surroundings),
    );
    expect(refusal.message).not.toMatch(/secret|xxx/);
  });

  test('is missed in a variable that is named and not set', async () => {
    using surroundings = new SampleSurroundings();
    await expectRejection(
      'SIGNER_VARIABLE_MISSING',
      findPassphrase('ci.key', { passphraseEnv: 'MISSING' }, surroundings),
    );
  });
});

describe('a new passphrase', () => {
  test('is asked for twice', async () => {
    using surroundings = new SampleSurroundings();
    surroundings.answers.push('long enough', 'long enough');
    expect((await chooseNewPassphrase({}, surroundings)).text).toBe('long enough');
    expect(surroundings.questions).toEqual(['New passphrase: ', 'The same again: ']);
  });

  test.each([
    { name: 'two different ones', answers: ['long enough', 'long enougH'] },
    { name: 'a short one', answers: ['short', 'short'] },
    { name: 'a short one of many bytes', answers: ['☂☂☂☂☂☂☂', '☂☂☂☂☂☂☂'] },
    { name: 'an empty one', answers: ['', ''] },
    { name: 'no terminal', answers: [] },
    { name: 'a terminal that goes away', answers: ['long enough'] },
  ])('is refused for $name', async ({ answers }) => {
    using surroundings = new SampleSurroundings();
    surroundings.answers.push(...answers);
    await expectRejection('KEY_PASSPHRASE_INVALID', chooseNewPassphrase({}, surroundings));
  });
});

describe('a line typed in raw mode', () => {
  test.each([
    { name: 'text and Enter', typed: ['secret\r'], text: 'secret', state: 'entered' },
    { name: 'text in pieces', typed: ['sec', 'ret', '\n'], text: 'secret', state: 'entered' },
    { name: 'what comes after Enter', typed: ['secret\rmore'], text: 'secret', state: 'entered' },
    { name: 'Ctrl-D', typed: ['secret\u0004'], text: 'secret', state: 'entered' },
    { name: 'Ctrl-C', typed: ['sec\u0003'], text: 'sec', state: 'interrupted' },
    { name: 'Backspace', typed: ['secx\u007fret\by\r'], text: 'secrey', state: 'entered' },
    {
      name: 'Backspace over a character of several bytes',
      typed: ['a😀\u007fb\r'],
      text: 'ab',
      state: 'entered',
    },
    { name: 'Backspace at the start', typed: ['\u007fa\r'], text: 'a', state: 'entered' },
    { name: 'Ctrl-U', typed: ['wrong\u0015right\r'], text: 'right', state: 'entered' },
    { name: 'no end', typed: ['sec'], text: 'sec', state: 'open' },
  ])('takes $name', ({ typed, text, state }) => {
    const line = new PassphraseLine();
    const states = typed.map((piece) => line.type(piece));
    expect({ text: line.text, state: states.at(-1) }).toEqual({ text, state });
  });
});

import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { splitCommand } from '../../engine/signers/command-words.js';
import { expectRefusal } from '../signing/sample-bundle.js';

describe('the words of a command', () => {
  test.each([
    { command: 'sign', words: ['sign'] },
    { command: '  sign \t --key\n1 ', words: ['sign', '--key', '1'] },
    { command: 'sign \'my key\' "your key"', words: ['sign', 'my key', 'your key'] },
    { command: 'sign a\'b c\'d"e f"g\\ h', words: ['sign', 'ab cde fg h'] },
    { command: `sign "a\\"b\\\\c\\d" 'a\\b'`, words: ['sign', 'a"b\\c\\d', 'a\\b'] },
    { command: `sign '' ""`, words: ['sign', '', ''] },
    {
      command: 'sign $HOME *.key | cat > x; `id` ~',
      words: ['sign', '$HOME', '*.key', '|', 'cat', '>', 'x;', '`id`', '~'],
    },
    { command: "sh -c 'cat | sign'", words: ['sh', '-c', 'cat | sign'] },
  ])('of $command', ({ command, words }) => {
    expect(splitCommand(command)).toEqual(words);
  });

  test('are those that a shell finds, when nothing is left to expand', () => {
    const plain = fc.stringMatching(/^[a-z "'\\\n]{0,12}$/);
    fc.assert(
      fc.property(plain, (text) => {
        const quoted = `x '${text.replaceAll("'", `'\\''`)}' "${text.replace(/["\\]/g, '\\$&')}"`;
        const shell = spawnSync('sh', ['-c', `printf '%s\\0' ${quoted}`], { encoding: 'utf8' });
        expect(splitCommand(quoted)).toEqual(shell.stdout.split('\0').slice(0, -1));
      }),
      { numRuns: 30 },
    );
  });

  test.each(['', '   ', "sign 'open", 'sign "open', 'sign "open\\"', 'sign end\\', "''", `sign 'a'"b`])(
    'are refused of %j',
    (command) => {
      expectRefusal('USAGE', () => splitCommand(command));
    },
  );
});

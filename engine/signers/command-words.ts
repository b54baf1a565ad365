import { VespidError } from '../errors/index.js';

/**
 * Splits a command into words as a shell does, and does nothing else that a shell does: white space separates,
 * '…' keeps everything, "…" keeps everything but \" and \\, a backslash keeps the next character. There are no
 * variables, globs, pipes or redirections; who wants a shell names it: `sh -c '…'`.
 *
 * @throws VespidError USAGE for no word, and for a quote or backslash without its end
 */
export function splitCommand(command: string): readonly [file: string, ...args: string[]] {
  const words: string[] = [];
  let rest = command.trimStart();
  while (rest !== '') {
    const word = WORD.exec(rest)?.[0] ?? '';
    if (word === '' || !/^(\s|$)/.test(rest.slice(word.length))) {
      throw usage(command, 'a closing quote, or a character after the last backslash');
    }
    words.push(unquote(word));
    rest = rest.slice(word.length).trimStart();
  }
  const [file, ...args] = words;
  if (file === undefined || file === '') throw usage(command, 'the name of a program');
  return [file, ...args];
}

/** One word: any mix of quoted and plain pieces without white space between them. */
const WORD = /^(?:'[^']*'|"(?:[^"\\]|\\[\s\S])*"|\\[\s\S]|[^\s'"\\])+/;
const PIECE = /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\]+)/g;

function unquote(word: string): string {
  return word.replace(
    PIECE,
    (_piece, single?: string, double?: string, escaped?: string, plain?: string) =>
      single ?? double?.replace(/\\(["\\])/g, '$1') ?? escaped ?? plain ?? '',
  );
}

function usage(command: string, expectation: string): VespidError {
  return new VespidError('USAGE', `--sign-command ${JSON.stringify(command)}: expected ${expectation}`, {
    hint: 'words are separated by white space; quote what belongs together: --sign-command "sign \'my key\'"',
  });
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { buildProgram } from '../../engine/cli/program.js';
import { ROOT } from './run-vespid.js';

const PROGRAM = buildProgram({ writeOut: () => undefined, writeErr: () => undefined });
const FILES = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...filesBelow('docs', '.md'),
  ...['engine', 'signing', 'policies'].flatMap((folder) => filesBelow(folder, '.ts')),
].filter((path) => / --[a-z]/.test(readFileSync(join(ROOT, path), 'utf8')));

function filesBelow(folder: string, ending: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));
}

/** `sign --out` of "vespid sign FILES... --out BUNDLE": up to the end of the line, of the quote, or of the sentence. */
function namedOptions(text: string): readonly { readonly command: Command; readonly option: string }[] {
  const joined = text.replaceAll(/\\\n\s*/g, '');
  return [...joined.matchAll(/\bvespid ((?:[a-z-]+ ?)+)([^\n`'",;|#()]*)/g)].flatMap(
    ([, words = '', rest = '']) => {
      const command = commandOf(words.trim().split(/\s+/));
      if (command === PROGRAM) return [];
      const options = `${words}${rest}`.match(/(?<=\s)--[a-z][a-z-]*/g) ?? [];
      return options.map((option) => ({ command, option }));
    },
  );
}

function commandOf(words: readonly string[], from: Command = PROGRAM): Command {
  const [word, ...others] = words;
  const next = from.commands.find((command) => command.name() === word);
  return next === undefined ? from : commandOf(others, next);
}

describe('commands that messages, help and pages name have the options that are named', () => {
  it.each(FILES)('%s', (path) => {
    const unknown = namedOptions(readFileSync(join(ROOT, path), 'utf8')).filter(
      ({ command, option }) =>
        option !== '--help' &&
        !command.options.some(({ long, short }) => long === option || short === option),
    );
    expect(unknown.map(({ command, option }) => `${command.name()} ${option}`)).toEqual([]);
  });
});

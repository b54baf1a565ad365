import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readKnownMisses } from './known-misses.js';

function read(text: string) {
  const directory = mkdtempSync(join(tmpdir(), 'vespid-peers-test-'));
  try {
    writeFileSync(join(directory, 'misses.tsv'), text);
    return readKnownMisses(join(directory, 'misses.tsv'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test('one miss a line, comments and empty lines aside', () => {
  expect(read('# a comment\n\nloop3\t6.12\ttoo slow\n')).toEqual([
    { object: 'loop3', kernel: '6.12', reason: 'too slow' },
  ]);
});

test.each(['loop3 6.12 too slow', 'loop3\t6.13\ttoo slow', 'loop3\t6.12\t', 'loop3\t6.12\ta\tb'])(
  'refuses %j',
  (line) => {
    expect(() => read(`# first\n${line}\n`)).toThrow(/misses\.tsv:2: expected/);
  },
);

test('every entry of the list stands once', () => {
  const path = fileURLToPath(new URL('known-misses.tsv', import.meta.url));
  const entries = readKnownMisses(path).map(({ object, kernel }) => `${object} ${kernel}`);
  expect(entries).toEqual([...new Set(entries)]);
});

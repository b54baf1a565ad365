import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readExplainedObjects } from './explained-objects.js';

function read(text: string) {
  const directory = mkdtempSync(join(tmpdir(), 'vespid-peers-test-'));
  try {
    writeFileSync(join(directory, 'misses.tsv'), text);
    return readExplainedObjects(join(directory, 'misses.tsv'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test('one object a line, comments and empty lines aside', () => {
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

test.each(['known-misses.tsv', 'not-compared.tsv'])('every entry of %s stands once', (name) => {
  const path = fileURLToPath(new URL(name, import.meta.url));
  const entries = readExplainedObjects(path).map(({ object, kernel }) => `${object} ${kernel}`);
  expect(entries).toEqual([...new Set(entries)]);
});

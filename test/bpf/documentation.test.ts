import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { documentedExamples, EXAMPLES, exampleFiles, ROOT } from './documentation.js';

describe('docs/bpf.md', () => {
  test('shows the files of docs/examples, each once and as it is, with what it prints', () => {
    const examples = documentedExamples();
    expect(examples.map(({ file, code }) => file ?? code).sort()).toEqual(exampleFiles().sort());
    for (const { file, output } of examples) expect(output, file).not.toBe('');
  });

  test('shows the program of the examples as it is', () => {
    const text = readFileSync(join(ROOT, 'docs/bpf.md'), 'utf8');
    expect(text).toContain(readFileSync(join(EXAMPLES, 'commands.bpf.c'), 'utf8'));
  });
});

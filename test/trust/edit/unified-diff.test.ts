import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unifiedDiff } from '../../../engine/trust/index.js';

/** What a diff says, applied to its first text. */
function applied(before: string, diff: string): string {
  const lines = before.split('\n');
  const output: string[] = [];
  let at = 0;
  for (const line of diff.split('\n').slice(2)) {
    const head = /^@@ -(\d+),(\d+) \+\d+,\d+ @@$/.exec(line);
    if (head === null) {
      if (!line.startsWith('+')) expect(lines[at++]).toBe(line.slice(1));
      if (!line.startsWith('-')) output.push(line.slice(1));
    } else {
      const start = Number(head[1]) - 1;
      output.push(...lines.slice(at, start));
      at = start;
    }
  }
  return [...output, ...lines.slice(at)].join('\n');
}

describe('unifiedDiff', () => {
  it('says nothing of equal texts', () => {
    expect(unifiedDiff('a\n', 'a\n', 'x')).toBe('');
  });

  it('shows what changed with three lines around it', () => {
    const before = 'a\nb\nc\nd\ne\nf\ng\nh\n';
    expect(unifiedDiff(before, before.replace('e', 'e\nnew'), 'trust.yaml').split('\n')).toEqual([
      ...['--- trust.yaml', '+++ trust.yaml', '@@ -3,6 +3,7 @@'],
      ...[' c', ' d', ' e', '+new', ' f', ' g', ' h'],
    ]);
  });

  it('gives the second text when applied to the first', () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 30 })
      .map((lines) => lines.map((line) => `${line}\n`).join(''));
    fc.assert(
      fc.property(text, text, (before, after) => {
        fc.pre(before !== after);
        expect(applied(before, unifiedDiff(before, after, 'x'))).toBe(after);
      }),
      { numRuns: 500 },
    );
  });
});

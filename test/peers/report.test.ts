import { expect, test } from 'vitest';
import type { Comparison, Verdict } from './comparison.js';
import { judge } from './report.js';

const row = (object: string, verdict: Verdict): Comparison => ({
  kernel: '6.1',
  object,
  verdict,
  reason: verdict === 'both' ? '' : 'because',
  libbpfMs: 1,
  vespidMs: 1,
});
const loadedByBoth = (count: number) =>
  Array.from({ length: count }, (_, index) => row(`object${index}`, 'both'));
const known = (object: string) => ({ object, kernel: '6.1', reason: 'said why' }) as const;
const whole = { isWhole: true };

test('objects that both load, that one loads and that neither loads are as expected', () => {
  const rows = [...loadedByBoth(3), row('ours', 'only Vespid'), row('broken', 'neither')];
  expect(judge(rows, [], whole)).toEqual({
    counts: { passed: 6, failed: 0, skipped: 0 },
    text: expect.stringContaining('Vespid loads 100.0 % of what libbpf loads'),
  });
});

test.each<Verdict>(['only libbpf', 'tags differ', 'over limit'])('an unexplained "%s" fails', (verdict) => {
  const { counts, text } = judge([...loadedByBoth(99), row('odd', verdict)], [], whole);
  expect(counts).toEqual({ passed: 100, failed: 1, skipped: 0 });
  expect(text).toContain(`FAIL  6.1   odd: ${verdict}: because`);
});

test.each<Verdict>(['only libbpf', 'tags differ', 'over limit'])('an explained "%s" passes', (verdict) => {
  const { counts } = judge([...loadedByBoth(99), row('odd', verdict)], [known('odd')], whole);
  expect(counts).toEqual({ passed: 102, failed: 0, skipped: 0 });
});

test('an entry that no longer misses fails', () => {
  const { counts, text } = judge([...loadedByBoth(2), row('odd', 'both')], [known('odd')], whole);
  expect(counts.failed).toBe(1);
  expect(text).toContain('odd: listed as a known miss, and is none');
});

test('too many explained misses fail', () => {
  const misses = ['one', 'two', 'three', 'four'];
  const rows = [...loadedByBoth(96), ...misses.map((name) => row(name, 'only libbpf'))];
  const { counts, text } = judge(rows, misses.map(known), whole);
  expect(counts.failed).toBe(1);
  expect(text).toContain('the share is 96.0 %, below 97.0 %');
  expect(judge(rows, misses.map(known), { isWhole: false }).counts.failed).toBe(0);
});

test('an object that is not compared is no test and counts for no share', () => {
  const { counts, text } = judge([...loadedByBoth(2), row('heavy', 'not compared')], [], whole);
  expect(counts).toEqual({ passed: 3, failed: 0, skipped: 0 });
  expect(text).toContain('1 not compared; Vespid loads 100.0 %');
});

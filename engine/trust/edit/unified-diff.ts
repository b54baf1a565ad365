/** Unchanged lines that are shown around a change, as `diff -u` does. */
const CONTEXT_LINES = 3;

interface DiffLine {
  readonly sign: ' ' | '+' | '-';
  readonly text: string;
}

/**
 * The unified diff of two texts of some thousand lines; the empty text when they are equal. It is for people: one
 * without a line break at its end is shown as if it had one.
 */
export function unifiedDiff(before: string, after: string, name: string): string {
  if (before === after) return '';
  const lines = compareLines(before.split('\n'), after.split('\n'));
  return [`--- ${name}`, `+++ ${name}`, ...hunks(lines)].join('\n');
}

/** Only what lies between the equal beginning and the equal end is compared line by line. */
function compareLines(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  const same = (text: string): DiffLine => ({ sign: ' ', text });
  return [
    ...before.slice(0, head).map(same),
    ...compareMiddle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ];
}

/** By a longest common subsequence: `lengths[i][j]` is its length for what follows line i and line j. */
function compareMiddle(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const lengths = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  const lengthAt = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--) {
    const row = lengths[i];
    for (let j = after.length - 1; j >= 0; j--) {
      const longest =
        before[i] === after[j]
          ? lengthAt(i + 1, j + 1) + 1
          : Math.max(lengthAt(i + 1, j), lengthAt(i, j + 1));
      if (row !== undefined) row[j] = longest;
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    const [removed, added] = [before[i], after[j]];
    if (removed !== undefined && removed === added) {
      lines.push({ sign: ' ', text: removed });
      i++;
      j++;
    } else if (removed !== undefined && (added === undefined || lengthAt(i + 1, j) >= lengthAt(i, j + 1))) {
      lines.push({ sign: '-', text: removed });
      i++;
    } else {
      lines.push({ sign: '+', text: added ?? '' });
      j++;
    }
  }
  return lines;
}

function hunks(lines: readonly DiffLine[]): readonly string[] {
  const shown = lines.map((_, at) =>
    lines.slice(Math.max(0, at - CONTEXT_LINES), at + CONTEXT_LINES + 1).some(({ sign }) => sign !== ' '),
  );
  const output: string[] = [];
  let beforeLine = 1;
  let afterLine = 1;
  for (const [at, { sign, text }] of lines.entries()) {
    if (shown[at] === true) {
      if (shown[at - 1] !== true) output.push(hunkHead(lines, shown, at, beforeLine, afterLine));
      output.push(`${sign}${text}`);
    }
    if (sign !== '+') beforeLine++;
    if (sign !== '-') afterLine++;
  }
  return output;
}

/** `@@ -6,4 +6,6 @@` */
function hunkHead(
  lines: readonly DiffLine[],
  shown: readonly boolean[],
  start: number,
  beforeLine: number,
  afterLine: number,
): string {
  const end = shown.indexOf(false, start);
  const hunk = lines.slice(start, end === -1 ? lines.length : end);
  const count = (other: DiffLine['sign']) => hunk.filter(({ sign }) => sign !== other).length;
  return `@@ -${beforeLine},${count('+')} +${afterLine},${count('-')} @@`;
}

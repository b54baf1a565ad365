import { escapeForTerminal } from '../events/index.js';

export interface Column {
  readonly title: string;
  /** Numbers stand to the right. */
  readonly align?: 'right';
}

/**
 * Lines of a table with aligned columns; the last column is not filled up. Cells come from files and bundles, so
 * characters that could steer the terminal are escaped.
 *
 * @param rows cells in the order of the columns
 */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  indent = '',
): string[] {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => row.map(escapeForTerminal))];
  const widths = columns.map((_column, at) => Math.max(...cells.map((row) => (row[at] ?? '').length)));
  return cells.map((row) => {
    const filled = columns.map(({ align }, at) => {
      const cell = row[at] ?? '';
      const width = widths[at] ?? 0;
      return align === 'right' ? cell.padStart(width) : cell.padEnd(width);
    });
    return `${indent}${filled.join('  ')}`.trimEnd();
  });
}

/** `name  value` lines. */
export function factLines(facts: readonly (readonly [name: string, value: string])[], indent = ''): string[] {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts.map(([name, value]) => `${indent}${name.padEnd(width)}  ${escapeForTerminal(value)}`);
}

import { describe, expect, it } from 'vitest';
import { factLines, tableLines } from '../../engine/cli/text-table.js';

describe('tableLines', () => {
  it('aligns columns', () => {
    const columns = [{ title: 'NAME' }, { title: 'BYTES', align: 'right' as const }, { title: 'WHY' }];
    expect(
      tableLines(
        columns,
        [
          ['a', '12345678', 'x'],
          ['longer', '1', ''],
        ],
        '  ',
      ),
    ).toEqual(['  NAME       BYTES  WHY', '  a       12345678  x', '  longer         1']);
  });

  it('escapes what could steer the terminal, and aligns by what is shown', () => {
    expect(
      tableLines(
        [{ title: 'N' }, { title: 'M' }],
        [
          ['\u001b[31m', 'x'],
          ['ok', 'y'],
        ],
      ),
    ).toEqual(['N         M', '\\x1b[31m  x', 'ok        y']);
  });
});

describe('factLines', () => {
  it('aligns values and escapes them', () => {
    expect(
      factLines([
        ['name', 'a\nb'],
        ['digest', 'c'],
      ]),
    ).toEqual(['name    a\\x0ab', 'digest  c']);
  });

  it('gives nothing for nothing', () => {
    expect(factLines([])).toEqual([]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VespidError } from '../../engine/errors/index.js';
import { FILE_OPEN } from '../../lsm-hooks/index.js';
import { parseCondition, parsePolicies } from '../../policies/language/index.js';
import { MAX_FILE_BYTES, MAX_LIST_LENGTH } from '../../policies/language/limits.js';
import { policyText, policyWhen, thrownBy } from './policy-text.js';

/** Far above what any row takes (a few seconds at the most, on a slow machine); far below a hang. */
const TIMEOUT_MS = 30_000;

/** The longest text of repetitions that is still read. */
function filled(part: string): string {
  return part.repeat(Math.floor(MAX_FILE_BYTES / part.length));
}

describe('hostile input ends in a typed error', () => {
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 9; level++) {
    const before = String.fromCharCode(96 + level);
    const name = String.fromCharCode(97 + level);
    bomb.push(`${name}: &${name} [${new Array(9).fill(`*${before}`).join(', ')}]`);
  }
  const numbered = (count: number, line: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => line(index)).join('');

  const rows: [label: string, text: string, code: string][] = [
    ['10 MB', 'a'.repeat(10_000_000), 'POLICY_LIMIT'],
    ['one byte too many, counted in UTF-8', 'é'.repeat(MAX_FILE_BYTES / 2 + 1), 'POLICY_LIMIT'],
    ['alias bomb', bomb.join('\n'), 'POLICY_LIMIT'],
    ['alias inside its own anchor', '&a [*a]', 'POLICY_LIMIT'],
    ['flow sequences', filled('['), 'POLICY_LIMIT'],
    ['flow mappings', filled('{a: '), 'POLICY_LIMIT'],
    ['block sequences', filled('- '), 'POLICY_LIMIT'],
    ['complex keys', filled('? '), 'POLICY_LIMIT'],
    ['many keys', numbered(20_000, (index) => `k${index}: 1\n`), 'POLICY_UNKNOWN_KEY'],
    [
      'many keys of a rule',
      `${policyText()}${numbered(9000, (index) => `      k${index}: 1\n`)}`,
      'POLICY_UNKNOWN_KEY',
    ],
    ['many values', `[${numbered(60_000, () => '1,')}]`, 'POLICY_LIMIT'],
    ['many documents', '---\na\n'.repeat(200), 'POLICY_LIMIT'],
    ['many empty documents', filled('---\n'), 'POLICY_SCHEMA'],
    [
      'many rules',
      `${policyText()}${'    - { hook: file.open, effect: audit }\n'.repeat(64)}`,
      'POLICY_LIMIT',
    ],
    ['many anchors', filled('&a '), 'POLICY_YAML_SYNTAX'],
    ['quotes', filled('"'), 'POLICY_YAML_SYNTAX'],
    ['colons', filled(': '), 'POLICY_YAML_SYNTAX'],
    ['NUL', 'a: "\0"\0', 'POLICY_YAML_SYNTAX'],
    ['prototype as a key', '__proto__: { kind: Policy }', 'POLICY_UNKNOWN_KEY'],
    ['long condition', policyWhen(`"${'x'.repeat(70_000)}"`), 'POLICY_LIMIT'],
    ['thousands of !', policyWhen(`"${'!'.repeat(60_000)}true"`), 'POLICY_LIMIT'],
    ['thousands of -', policyWhen(`"${'-'.repeat(60_000)}1 == 1"`), 'POLICY_LIMIT'],
    ['parentheses', policyWhen(`"${'('.repeat(60_000)}"`), 'POLICY_LIMIT'],
    ['lists in lists', policyWhen(`"${'['.repeat(60_000)}"`), 'POLICY_LIMIT'],
    ['a long chain', policyWhen(`"${'true||'.repeat(10_000)}true"`), 'POLICY_LIMIT'],
    ['members of members', policyWhen(`"file${'.a'.repeat(10_000)}"`), 'POLICY_LIMIT'],
    ['conditionals', policyWhen(`"${'true?true:'.repeat(6000)}true"`), 'POLICY_LIMIT'],
    ['a long list', policyWhen(`"file.uid in [${'1,'.repeat(MAX_LIST_LENGTH)}1]"`), 'POLICY_LIMIT'],
    ['a long misspelt field', policyWhen(`"${'x'.repeat(60_000)}"`), 'POLICY_UNKNOWN_FIELD'],
  ];

  it.each(rows)('%s', { timeout: TIMEOUT_MS }, (_label, text, code) => {
    const error = thrownBy(() => parsePolicies(text, 'p.yaml'));
    expect(error.code).toBe(code);
    expect(error.message.length).toBeLessThan(1000);
  });

  it('takes a chain and a list that are as long as the limits allow', () => {
    const list = Array.from({ length: MAX_LIST_LENGTH }, (_, index) => index).join();
    const chain = 'file.uid == 1 || '.repeat(800);
    expect(parseCondition(`${chain} file.uid in [7]`, FILE_OPEN).kind).toBe('int-in');
    expect(parseCondition(`file.uid in [${list}]`, FILE_OPEN).kind).toBe('int-in');
  });
});

describe('fuzzing', () => {
  /** Holds parsing to its word: policies, or a VespidError with a code of policies. */
  function expectTyped(action: () => unknown): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof VespidError)) throw error;
      expect(error.code).toMatch(/^POLICY_/);
      expect(error.location ?? error.code).toBeTruthy();
    }
  }

  const base = policyWhen('|\n        file.name in ["a", "b"] && !(process.uid == 0) // why');
  const token = fc.constantFrom(
    ...'-?:,[]{}#&*!|>\'"%@`\n\t \\()'.split(''),
    ...[
      '---',
      '...',
      '- ',
      ': ',
      '&a',
      '*a',
      '!!str ',
      '<<',
      'null',
      '0x1',
      'when:',
      'file.uid',
      '==',
      '&&',
      '||',
      '//',
    ],
  );

  it('policies with pieces replaced', { timeout: TIMEOUT_MS }, () => {
    const edit = fc.record({
      at: fc.nat({ max: base.length }),
      cut: fc.nat({ max: 12 }),
      insert: fc.oneof(token, fc.string({ unit: 'binary', maxLength: 4 })),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let text = base;
        for (const { at, cut, insert } of edits) text = text.slice(0, at) + insert + text.slice(at + cut);
        expectTyped(() => parsePolicies(text, 'fuzz.yaml'));
      }),
      { numRuns: 2000 },
    );
  });

  it('any text', { timeout: TIMEOUT_MS }, () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(token).map((tokens) => tokens.join('')),
    );
    fc.assert(
      fc.property(text, (source) => expectTyped(() => parsePolicies(source, 'fuzz.yaml'))),
      { numRuns: 2000 },
    );
  });

  it('any condition, in every style of YAML', { timeout: TIMEOUT_MS }, () => {
    const piece = fc.constantFrom(
      ...'file.name|file.uid|file.write|process|cidr|"a"|1|-1|1u|1.5|null|true|==|!=|<|in|&&|||!|?|:|(|)|[|]|{|}|,|.|.size()|.startsWith|"\\u00e9"|b"a"|r"\\"|+|has|all|//|\n'
        .split('|')
        .filter((word) => word !== ''),
      '||',
      ' ',
    );
    const style = fc.constantFrom<(cel: string) => string>(
      (cel) => JSON.stringify(cel),
      (cel) => `'${cel.replaceAll("'", "''")}'`,
      (cel) => `|\n        ${cel.replaceAll('\n', '\n        ')}`,
      (cel) => `>-\n        ${cel.replaceAll('\n', '\n        ')}`,
      (cel) => cel,
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), style, (pieces, write) => {
        expectTyped(() => parsePolicies(policyWhen(write(pieces.join(' '))), 'fuzz.yaml'));
      }),
      { numRuns: 3000 },
    );
  });
});

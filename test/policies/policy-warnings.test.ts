import { describe, expect, it } from 'vitest';
import { closestName, suggestName } from '../../engine/errors/index.js';
import { FILE_OPEN } from '../../lsm-hooks/index.js';
import {
  evaluateCondition,
  fieldsOf,
  parseCondition,
  parsePolicy,
  policyWarnings,
} from '../../policies/language/index.js';
import { policyWhen, thrownBy } from './policy-text.js';

describe('warnings', () => {
  const rows: [label: string, when: string, hook: string, effect: string, expected: RegExp | undefined][] = [
    [
      'deny by arguments',
      'exec.args.contains("x")',
      'process.exec',
      'deny',
      /rules\[0\].*deny depends on exec\.args/,
    ],
    ['kill by arguments', 'true && exec.args == "x"', 'process.exec', 'kill', /kill depends on exec\.args/],
    ['audit by arguments', 'exec.args.contains("x")', 'process.exec', 'audit', undefined],
    ['never', 'file.uid < 0', 'file.open', 'audit', /never true/],
    ['deny always', 'true', 'file.open', 'deny', /every file\.open meets the effect deny/],
    ['audit always', 'true', 'file.open', 'audit', undefined],
    ['nothing odd', 'file.write', 'file.open', 'deny', undefined],
  ];

  it.each(rows)('%s', (_label, when, hook, effect, expected) => {
    const warnings = policyWarnings(parsePolicy(policyWhen(when, hook, effect), 'p.yaml'));
    if (expected === undefined) expect(warnings).toEqual([]);
    else expect(warnings).toEqual([expect.stringMatching(expected)]);
  });
});

describe('fieldsOf', () => {
  it('names each field once', () => {
    const condition = parseCondition(
      'file.write && !(file.uid == 1 || file.uid > 5) || file.write',
      FILE_OPEN,
    );
    expect(fieldsOf(condition)).toEqual(['file.write', 'file.uid']);
  });
});

describe('evaluateCondition', () => {
  it.each([
    ['a missing field', {}],
    ['a text where an int belongs', { 'file.uid': 'root' }],
    ['a fraction', { 'file.uid': 1.5 }],
  ])('refuses %s', (_label, fields) => {
    const condition = parseCondition('file.uid == 1', FILE_OPEN);
    expect(thrownBy(() => evaluateCondition(condition, fields)).code).toBe('POLICY_FIELD_VALUE');
  });

  it('takes numbers and bigints', () => {
    const condition = parseCondition('file.uid == 1', FILE_OPEN);
    expect([1, 1n, 2].map((uid) => evaluateCondition(condition, { 'file.uid': uid }))).toEqual([
      true,
      true,
      false,
    ]);
  });
});

describe('did you mean', () => {
  const names = ['severity', 'attack', 'rules'];
  it.each([
    ['serverity', 'severity'],
    ['sevreity', 'severity'],
    ['Rules', 'rules'],
    ['atack', 'attack'],
    ['zzzzzz', undefined],
    ['x'.repeat(1000), undefined],
  ])('%s', (name, expected) => {
    expect(closestName(name, names)).toBe(expected);
  });

  it('always lists what is known', () => {
    expect(suggestName('zzzzzz', names)).toBe('known: severity, attack, rules');
  });
});

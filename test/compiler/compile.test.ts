import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readObject } from '../../engine/bytecode/index.js';
import { compilePolicies, decodeRuleTable } from '../../engine/compiler/index.js';
import type { CheckedPolicy } from '../../policies/language/index.js';
import { thrownBy } from '../policies/policy-text.js';
import { equalityRules, policyOf, VARIED_RULES } from './sample-policies.js';

const digest = (policies: readonly CheckedPolicy[]) =>
  compilePolicies(policies).map(({ name, bytes }) => [
    name,
    createHash('sha256').update(bytes).digest('hex'),
  ]);

describe('compilePolicies', () => {
  test('gives one object per hook, in order of hook name', () => {
    const objects = compilePolicies([policyOf(VARIED_RULES)]);
    expect(objects.map(({ name, hook }) => [name, hook])).toEqual([
      ['file.open.bpf.o', 'file.open'],
      ['net.connect.bpf.o', 'net.connect'],
      ['process.exec.bpf.o', 'process.exec'],
    ]);
  });

  test('gives the same bytes again, also for a copy of the policies', () => {
    const policies = [policyOf(VARIED_RULES), policyOf(equalityRules(5), 'more')];
    const first = digest(policies);
    expect(digest(policies)).toEqual(first);
    expect(digest(structuredClone(policies))).toEqual(first);
    expect(
      digest(policies.map((policy) => Object.fromEntries(Object.entries(policy).reverse()) as typeof policy)),
    ).toEqual(first);
  });

  test('gives the same bytes in processes whose hash tables are laid out differently', () => {
    const policies = [policyOf(VARIED_RULES)];
    const script = `
      import { createHash } from 'node:crypto';
      const { compilePolicies } = await import('./dist/engine/compiler/index.js');
      const revive = (_, value) => (/^\\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value);
      const policies = JSON.parse(process.argv[1], revive);
      const digest = ({ name, bytes }) => [name, createHash('sha256').update(bytes).digest('hex')];
      console.log(JSON.stringify(compilePolicies(policies).map(digest)));`;
    const text = JSON.stringify(policies, (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value,
    );
    const outputs = ['1', '2'].map((seed) =>
      execFileSync(process.execPath, [`--hash-seed=${seed}`, '--input-type=module', '-e', script, text], {
        encoding: 'utf8',
      }),
    );
    expect(outputs[0]).toContain('file.open.bpf.o');
    expect(outputs[1]).toBe(outputs[0]);
  });

  test('gives other bytes for another constant, effect or order', () => {
    const [rule, ...others] = VARIED_RULES;
    if (rule === undefined) throw new Error('no sample rule');
    const base = digest([policyOf([rule])]);
    expect(digest([policyOf([{ ...rule, when: rule.when.replace('443', '444') }])])).not.toEqual(base);
    expect(digest([policyOf([{ ...rule, effect: 'audit' }])])).not.toEqual(base);
    expect(digest([policyOf(others)])).not.toEqual(digest([policyOf([...others].reverse())]));
  });

  test('puts a program for every attach point of the hook into the object, and the rules beside them', () => {
    const [object] = compilePolicies([
      policyOf(equalityRules(2), 'first'),
      policyOf(equalityRules(1), 'second'),
    ]);
    if (object === undefined) throw new Error('no object');
    const read = readObject(object.bytes, object.name);
    expect(read.programs.map(({ section }) => section)).toEqual(['lsm/file_open', 'tp_btf/sys_exit']);
    expect(read.license).toBe('Dual MIT/GPL');
    const table = decodeRuleTable(read.metadata, object.name);
    expect(table).toEqual(object.table);
    expect(table.rules.map(({ policy, rule }) => `${policy} ${rule}`)).toEqual([
      'first 0',
      'first 1',
      'second 0',
    ]);
  });

  test('takes 64 rules on a hook and refuses 65', () => {
    expect(compilePolicies([policyOf(equalityRules(64))])[0]?.table.rules).toHaveLength(64);
    const error = thrownBy(() =>
      compilePolicies([policyOf(equalityRules(64)), policyOf(equalityRules(1), 'more')]),
    );
    expect(error).toMatchObject({ code: 'COMPILE_LIMIT' });
    expect(error.message).toContain('65 rules on file.open');
    expect(error.hint).toBeTruthy();
  });

  test('leaves out an attach point that cannot read a field, and says which', () => {
    const [object] = compilePolicies([
      policyOf([{ hook: 'process.exec', when: 'process.exe == "/bin/sh" && process.comm == "sh"' }]),
    ]);
    expect(object?.table.unreadable).toEqual({ tracepoint: ['process.comm', 'process.exe'] });
    expect(
      readObject(object?.bytes ?? new Uint8Array(0), 'x').programs.map(({ section }) => section),
    ).toEqual(['lsm/bprm_check_security']);
  });

  test('two searches for constants that begin alike are two functions', () => {
    const alike = 'x'.repeat(40);
    const [object] = compilePolicies([
      policyOf([
        { hook: 'process.exec', when: `exec.args.contains("${alike}1")` },
        { hook: 'process.exec', when: `exec.args.contains("${alike}2")` },
      ]),
    ]);
    const { subprograms } = readObject(object?.bytes ?? new Uint8Array(0), 'x');
    expect(subprograms.filter(({ name }) => name.startsWith('find_exec_args'))).toHaveLength(2);
  });

  test('the longest constants on both paths still fit the working memory', () => {
    const longest = `/${'x'.repeat(4095)}`;
    const rules = ['file.path', 'process.exe'].map((field) => ({
      hook: 'file.open',
      when: `${field} == "${longest}"`,
    }));
    expect(compilePolicies([policyOf(rules)])).toHaveLength(1);
  });
});

describe('code size', () => {
  /** Slots of all functions of the object for file.open. */
  function slots(count: number): number {
    const [object] = compilePolicies([policyOf(equalityRules(count))]);
    const { programs, subprograms } = readObject(object?.bytes ?? new Uint8Array(0), 'x');
    return [...programs, ...subprograms].reduce(
      (sum, { instructions }) => sum + instructions.byteLength / 8,
      0,
    );
  }

  test('grows by the rule alone: what is read, the record and the paths are there once', () => {
    const [one, two, three, all] = [1, 2, 3, 64].map(slots) as [number, number, number, number];
    // A rule stands in two programs. The second also sets what more than one rule needs.
    expect(three - two).toBeLessThanOrEqual(2 * 100);
    expect(two - one).toBeLessThanOrEqual(2 * 100);
    expect((all - one) / 63).toBeLessThanOrEqual(2 * 100);
    expect(one).toBeLessThanOrEqual(2000);
  });

  test('a set of a thousand paths is one rule', () => {
    const paths = Array.from({ length: 1000 }, (_, index) => `"/srv/${index}/config"`);
    const [object] = compilePolicies([
      policyOf([{ hook: 'file.open', when: `file.path in [${paths.join(', ')}]` }]),
    ]);
    expect(object?.table.rules).toHaveLength(1);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeRuleTable, type RuleTable } from '../../engine/compiler/index.js';
import { encodeRuleTable } from '../../engine/compiler/rule-table.js';
import { thrownBy } from '../policies/policy-text.js';

const TABLE: RuleTable = {
  format: 1,
  hook: 'file.open',
  rules: [{ policy: 'p', rule: 0, effect: 'deny', severity: 'high', attack: ['T1003.008'], source: 'true' }],
  unreadable: { tracepoint: ['process.exe'] },
};
const [RULE] = TABLE.rules;
const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

describe('the rule table', () => {
  test('comes back as it was', () => {
    const rule = fc.record({
      policy: fc.string(),
      rule: fc.nat(),
      effect: fc.constantFrom('audit', 'deny', 'kill'),
      severity: fc.constantFrom('info', 'low', 'medium', 'high', 'critical'),
      attack: fc.array(fc.string()),
      source: fc.string({ unit: 'grapheme' }),
    });
    const table = fc.record({
      format: fc.constant(1),
      hook: fc.string(),
      rules: fc.array(rule),
      unreadable: fc.dictionary(fc.constantFrom('lsm', 'tracepoint', 'cgroup'), fc.array(fc.string())),
    });
    fc.assert(
      fc.property(table, (value) => {
        // The generator makes exactly this type; fast-check widens its constants.
        const given = value as RuleTable;
        expect(decodeRuleTable(encodeRuleTable(given), 'x.bpf.o')).toEqual(given);
      }),
    );
  });

  test.each<{ what: string; bytes: Uint8Array }>([
    { what: 'nothing', bytes: new Uint8Array(0) },
    { what: 'bytes that are not UTF-8', bytes: Uint8Array.of(0x22, 0xff, 0x22) },
    { what: 'text that is not JSON', bytes: new TextEncoder().encode('{') },
    { what: 'null', bytes: bytesOf(null) },
    { what: 'a list', bytes: bytesOf([TABLE]) },
    { what: 'another format', bytes: bytesOf({ ...TABLE, format: 2 }) },
    { what: 'no hook', bytes: bytesOf({ ...TABLE, hook: undefined }) },
    { what: 'rules that are no list', bytes: bytesOf({ ...TABLE, rules: {} }) },
    { what: 'a rule without a policy', bytes: bytesOf({ ...TABLE, rules: [{ ...RULE, policy: 1 }] }) },
    { what: 'an index that is not whole', bytes: bytesOf({ ...TABLE, rules: [{ ...RULE, rule: 0.5 }] }) },
    { what: 'an unknown effect', bytes: bytesOf({ ...TABLE, rules: [{ ...RULE, effect: 'burn' }] }) },
    { what: 'an unknown severity', bytes: bytesOf({ ...TABLE, rules: [{ ...RULE, severity: 'worst' }] }) },
    { what: 'techniques that are no texts', bytes: bytesOf({ ...TABLE, rules: [{ ...RULE, attack: [1] }] }) },
    { what: 'no source', bytes: bytesOf({ ...TABLE, rules: [{ ...RULE, source: undefined }] }) },
    { what: 'no list of what cannot be read', bytes: bytesOf({ ...TABLE, unreadable: undefined }) },
    { what: 'fields that are no texts', bytes: bytesOf({ ...TABLE, unreadable: { lsm: [1] } }) },
  ])('$what is refused, with the object named', ({ bytes }) => {
    const error = thrownBy(() => decodeRuleTable(bytes, 'file.open.bpf.o'));
    expect(error).toMatchObject({ code: 'OBJECT_METADATA_MALFORMED' });
    expect(error.message).toContain('file.open.bpf.o');
    expect(error.hint).toBeTruthy();
  });
});

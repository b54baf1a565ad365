import { BlockList, isIPv6 } from 'node:net';
import { type CelInput, CelScalar, celFunc, celMethod, run } from '@bufbuild/cel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { POLICY_HOOKS } from '../../lsm-hooks/index.js';
import { evaluateCondition, parseCondition } from '../../policies/language/index.js';
import { randomCondition, randomEvent } from './random-condition.js';

/** The Kubernetes functions for the independent evaluator; here a block is its text. */
const FUNCTIONS = [
  celFunc('cidr', [CelScalar.STRING], CelScalar.STRING, (block) => block),
  celMethod('containsIP', CelScalar.STRING, [CelScalar.STRING], CelScalar.BOOL, function (address) {
    const [network = '', prefixLength] = this.split('/');
    if (isIPv6(network) !== isIPv6(address)) return false;
    const family = isIPv6(network) ? 'ipv6' : 'ipv4';
    const list = new BlockList();
    list.addSubnet(network, Number(prefixLength), family);
    return list.check(address, family);
  }),
];

/** `{ 'process.exe': … }` → `{ process: { exe: … } }` */
function nested(event: Readonly<Record<string, unknown>>): Record<string, CelInput> {
  const root: Record<string, Record<string, CelInput>> = {};
  for (const [name, value] of Object.entries(event)) {
    const [group = '', member = ''] = name.split('.');
    // Events hold text, bigint and boolean only.
    root[group] = { ...root[group], [member]: value as CelInput };
  }
  return root;
}

describe.each([...POLICY_HOOKS.values()])('lowered conditions over $name', (hook) => {
  it('mean what CEL means', { timeout: 60_000 }, () => {
    let trueCount = 0;
    let count = 0;
    fc.assert(
      fc.property(
        randomCondition(hook),
        fc.array(randomEvent(hook), { minLength: 1, maxLength: 5 }),
        (cel, events) => {
          const condition = parseCondition(cel, hook);
          for (const event of events) {
            const expected = run(cel, nested(event), { funcs: FUNCTIONS });
            expect(evaluateCondition(condition, event)).toBe(expected);
            count++;
            if (expected === true) trueCount++;
          }
        },
      ),
      { numRuns: 1500 },
    );
    // The property is worth something only if both outcomes are common.
    expect(trueCount).toBeGreaterThan(count / 10);
    expect(trueCount).toBeLessThan((count * 9) / 10);
  });
});

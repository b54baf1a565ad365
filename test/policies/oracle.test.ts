import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { POLICY_HOOKS } from '../../lsm-hooks/index.js';
import { evaluateCondition, parseCondition } from '../../policies/language/index.js';
import { evaluateByCel } from './cel-oracle.js';
import { randomCondition, randomEvent } from './random-condition.js';

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
            const expected = evaluateByCel(cel, event);
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

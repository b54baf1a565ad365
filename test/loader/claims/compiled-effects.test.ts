import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compilePolicies } from '../../../engine/compiler/index.js';
import { computeFileClaims } from '../../../engine/loader/index.js';
import { ATTACHABLE_HOOKS, type Effect } from '../../../lsm-hooks/index.js';
import { type CheckedPolicy, parsePolicies } from '../../../policies/language/index.js';

const LIBRARY = join(import.meta.dirname, '../../../policies/library');

/** Every policy that we ship: all hooks, paths, exceptions, arguments and addresses. */
const SHIPPED: readonly CheckedPolicy[] = readdirSync(LIBRARY)
  .filter((name) => name.endsWith('.yaml'))
  .flatMap((name) => parsePolicies(readFileSync(join(LIBRARY, name), 'utf8'), name));

function withEffect(policies: readonly CheckedPolicy[], effect: Effect): CheckedPolicy[] {
  return policies.map((policy) => ({ ...policy, rules: policy.rules.map((rule) => ({ ...rule, effect })) }));
}

/** Effects by section, over all objects that the policies compile to. */
function effectsBySection(policies: readonly CheckedPolicy[]): ReadonlyMap<string, readonly string[]> {
  const programs = compilePolicies([...policies]).flatMap(
    ({ name, bytes }) => computeFileClaims({ kind: 'object', name, bytes }).programs,
  );
  return new Map(programs.map(({ section, effects }) => [section, effects]));
}

const points = [...ATTACHABLE_HOOKS.values()].flatMap(({ candidates }) =>
  candidates.flatMap((candidate) => candidate.points.map((point) => ({ candidate, point }))),
);

describe('what a compiled program can do is what its policies ask for', () => {
  const audit = effectsBySection(withEffect(SHIPPED, 'audit'));
  const deny = effectsBySection(withEffect(SHIPPED, 'deny'));
  const kill = effectsBySection(withEffect(SHIPPED, 'kill'));

  test.each(points)('$point.section', ({ candidate, point }) => {
    const canDeny = candidate.effects.includes('deny');
    const canKill = candidate.effects.includes('kill');
    expect(audit.get(point.section)).toEqual([]);
    expect(deny.get(point.section)).toEqual(canDeny ? ['deny'] : ['kill']);
    expect(kill.get(point.section)?.includes('kill')).toBe(canKill);
  });

  test('one rule that denies among many that audit is enough', () => {
    const [first, ...others] = withEffect(SHIPPED, 'audit');
    if (first === undefined) throw new Error('no policies');
    const effects = effectsBySection([...withEffect([first], 'deny'), ...others]);
    expect([...effects.values()].some((found) => found.includes('deny'))).toBe(true);
  });
});

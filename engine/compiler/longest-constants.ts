import { type Condition, type Test, testsOf } from '../../policies/language/index.js';

/** For every string field, the UTF-8 length of the longest constant that it is compared with. */
export function longestConstants(conditions: readonly Condition[]): ReadonlyMap<string, number> {
  const longest = new Map<string, number>();
  for (const test of conditions.flatMap((condition) => [...testsOf(condition)])) {
    for (const constant of constantsOf(test)) {
      const byteLength = new TextEncoder().encode(constant).byteLength;
      longest.set(test.field, Math.max(byteLength, longest.get(test.field) ?? 0));
    }
  }
  return longest;
}

function constantsOf(test: Test): readonly string[] {
  switch (test.kind) {
    case 'string-in':
      return test.values;
    case 'string-prefix':
    case 'string-suffix':
    case 'string-contains':
      return [test.value];
    default:
      return [];
  }
}

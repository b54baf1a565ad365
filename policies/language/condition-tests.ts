import type { Condition, Test } from './condition.js';

/** The tests of a condition, in the order in which they are written. */
export function* testsOf(condition: Condition): Iterable<Test> {
  switch (condition.kind) {
    case 'constant':
      return;
    case 'and':
    case 'or':
      for (const term of condition.terms) yield* testsOf(term);
      return;
    case 'not':
      yield* testsOf(condition.term);
      return;
    default:
      yield condition;
  }
}

/** The names of the fields that a condition reads, in the order of their first appearance. */
export function fieldsOf(condition: Condition): string[] {
  return [...new Set([...testsOf(condition)].map((test) => test.field))];
}

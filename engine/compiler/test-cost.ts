import type { Condition } from '../../policies/language/index.js';

/**
 * A rough order of what tests cost, cheapest first: integers are one or two loads, a name one copy, a path a walk.
 * Only the order matters.
 */
const COST = { constant: 0, integer: 1, address: 2, shortString: 4, path: 20, searched: 40 } as const;

export function testCost(condition: Condition): number {
  switch (condition.kind) {
    case 'constant':
      return COST.constant;
    case 'and':
    case 'or':
      return (
        condition.terms.reduce((most, term) => Math.max(most, testCost(term)), 0) + condition.terms.length
      );
    case 'not':
      return testCost(condition.term);
    case 'bool':
    case 'int-in':
    case 'int-order':
      return COST.integer;
    case 'ip-in':
      return COST.address;
    case 'string-contains':
      return COST.searched;
    case 'string-in':
      // Most events fail at the last component, before the path is walked.
      return condition.field.endsWith('.path') ? COST.shortString + 1 : stringCost(condition.field);
    case 'string-prefix':
    case 'string-suffix':
      return stringCost(condition.field);
  }
}

function stringCost(field: string): number {
  return field.endsWith('.path') || field === 'process.exe' ? COST.path : COST.shortString;
}

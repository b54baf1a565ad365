import type { Condition, IpRange } from './condition.js';

// Builders that keep a condition in normal form: and/or are flat and have two terms or more, constants stand
// only at the root, no `not` of a `not`, and tests of one field for equality are one test.

export const ALWAYS: Condition = { kind: 'constant', value: true };
export const NEVER: Condition = { kind: 'constant', value: false };

export function negate(term: Condition): Condition {
  if (term.kind === 'constant') return term.value ? NEVER : ALWAYS;
  return term.kind === 'not' ? term.term : { kind: 'not', term };
}

/** True if any term is. */
export function anyOf(terms: readonly Condition[]): Condition {
  const flat = terms.flatMap((term) => (term.kind === 'or' ? term.terms : [term]));
  if (flat.some((term) => term.kind === 'constant' && term.value)) return ALWAYS;
  const kept = mergeSets(flat.filter((term) => term.kind !== 'constant'));
  return joined('or', kept, NEVER);
}

/** True if all terms are. By De Morgan `!a && !b` is `!(a || b)`, so negated sets of one field merge. */
export function allOf(terms: readonly Condition[]): Condition {
  const flat = terms.flatMap((term) => (term.kind === 'and' ? term.terms : [term]));
  if (flat.some((term) => term.kind === 'constant' && !term.value)) return NEVER;
  const kept = flat.filter((term) => term.kind !== 'constant');
  const merged = mergeSets(kept.map((term) => (isNegatedSet(term) ? term.term : new Opaque(term))));
  return joined(
    'and',
    merged.map((term) => (term instanceof Opaque ? term.condition : negate(term))),
    ALWAYS,
  );
}

function joined(kind: 'and' | 'or', terms: readonly Condition[], empty: Condition): Condition {
  return terms.length > 1 ? { kind, terms } : (terms[0] ?? empty);
}

type SetTest = Extract<Condition, { kind: 'int-in' | 'string-in' | 'ip-in' }>;

function isSetTest(term: Condition | Opaque): term is SetTest {
  return !(term instanceof Opaque) && ['int-in', 'string-in', 'ip-in'].includes(term.kind);
}

function isNegatedSet(term: Condition): term is { kind: 'not'; term: SetTest } {
  return term.kind === 'not' && isSetTest(term.term);
}

/** A term that merging must leave as it is. */
class Opaque {
  readonly condition: Condition;
  constructor(condition: Condition) {
    this.condition = condition;
  }
}

/** Joins the sets of tests on the same field, at the place of the first. */
function mergeSets<Term extends Condition | Opaque>(terms: readonly Term[]): (Term | SetTest)[] {
  const merged: (Term | SetTest)[] = [];
  const placeOf = new Map<string, number>();
  for (const term of terms) {
    if (!isSetTest(term)) {
      merged.push(term);
      continue;
    }
    const key = `${term.kind} ${term.field}`;
    const place = placeOf.get(key);
    const earlier = place === undefined ? undefined : merged[place];
    if (place === undefined || earlier === undefined || !isSetTest(earlier)) {
      placeOf.set(key, merged.length);
      merged.push(term);
    } else {
      merged[place] = union(earlier, term);
    }
  }
  return merged;
}

function union(first: SetTest, second: SetTest): SetTest {
  if (first.kind === 'int-in' && second.kind === 'int-in') {
    return { ...first, values: unique([...first.values, ...second.values]) };
  }
  if (first.kind === 'string-in' && second.kind === 'string-in') {
    return { ...first, values: unique([...first.values, ...second.values]) };
  }
  if (first.kind === 'ip-in' && second.kind === 'ip-in') {
    return { ...first, ranges: uniqueRanges([...first.ranges, ...second.ranges]) };
  }
  return first;
}

/** The values without repetitions, in the order of their first appearance. */
export function unique<Value>(values: readonly Value[]): Value[] {
  return [...new Set(values)];
}

export function uniqueRanges(ranges: readonly IpRange[]): IpRange[] {
  const byText = new Map(ranges.map((range) => [`${range.bytes.join('.')}/${range.prefixLength}`, range]));
  return [...byText.values()];
}

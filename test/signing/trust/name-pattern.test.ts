import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchesName, parseNamePattern } from '../../../signing/trust/name-pattern.js';

const matches = (pattern: string, name: string): boolean => matchesName(parseNamePattern(pattern), name);

/** The definition, one way after another; exponential. */
function matchesByTrying(pattern: string, name: string): boolean {
  if (pattern === '') return name === '';
  if (!pattern.startsWith('*')) {
    return name.startsWith(pattern.charAt(0)) && matchesByTrying(pattern.slice(1), name.slice(1));
  }
  const crossesSegments = pattern.startsWith('**');
  const rest = pattern.slice(crossesSegments ? 2 : 1);
  for (let taken = 0; taken <= name.length; taken++) {
    const run = name.slice(0, taken);
    if (!/^[ -~]*$/.test(run) || (!crossesSegments && run.includes('/'))) return false;
    if (matchesByTrying(rest, name.slice(taken))) return true;
  }
  return false;
}

describe('a name pattern', () => {
  test.each([
    ['', ''],
    ['*', ''],
    ['**', ''],
    ['edge-*', 'edge-'],
    ['edge-*', 'edge-1'],
    ['*-prod', 'edge-prod'],
    ['a*b*c', 'a-b-b-c'],
    ['**', 'a/b/c'],
    ['a/**', 'a/'],
    ['a/**/c', 'a/b/b/c'],
    ['***', 'a/b'],
    ['sched/*', 'sched/sched_switch'],
    ['https://github.com/acme/*/x@refs/tags/v*', 'https://github.com/acme/sensors/x@refs/tags/v1.2.3'],
    ['a.b', 'a.b'],
    ['[ab]?{c,d}', '[ab]?{c,d}'],
  ])('%j matches %j', (pattern, name) => {
    expect(matches(pattern, name)).toBe(true);
  });

  test.each([
    ['', 'a'],
    ['a', ''],
    ['edge', 'edge-1'],
    ['edge', 'my-edge'],
    ['edge-*', 'my-edge-1'],
    ['*-prod', 'edge-prod-2'],
    ['*', 'a/b'],
    ['sched/*', 'sched/a/b'],
    ['a/**/c', 'a/c'],
    ['a.b', 'axb'],
    ['[ab]', 'a'],
    ['a?', 'ab'],
    ['v*', 'v1\n'],
    ['**', 'v\u0000'],
    ['v**', 'v\u202e1'],
    ['*', '\u0430'],
    ['lsm', 'LSM'],
    ['lsm', 'lsm '],
    ['lsm', 'lsm\n'],
    ['lsm', '\u217csm'],
    // e with an acute accent, composed and not: nothing is normalised.
    ['caf\u00e9', 'cafe\u0301'],
    ['https://github.com/acme/x@refs/tags/v*', 'https://github.com/acme/x@refs/tags/v1/../../heads/main'],
    [
      'https://github.com/acme/*/x@refs/tags/v1',
      'https://evil.example/?https://github.com/acme/a/x@refs/tags/v1',
    ],
  ])('%j does not match %j', (pattern, name) => {
    expect(matches(pattern, name)).toBe(false);
  });

  test('agrees with its definition', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '\n'), maxLength: 8 });
    fc.assert(
      fc.property(text, text, (pattern, name) => {
        expect(matches(pattern, name)).toBe(matchesByTrying(pattern, name));
      }),
      { numRuns: 5000 },
    );
  });

  test('takes a number of steps that grows with the lengths only', () => {
    // A matcher that goes back takes 2^40 steps for this one; 40 seconds would be a failure, a blink is not.
    expect(matches(`${'*a'.repeat(60)}b`, 'a'.repeat(2000))).toBe(false);
    expect(matches(`${'**a'.repeat(60)}b`, 'a'.repeat(2000))).toBe(false);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchesPattern } from '../../engine/bpf/attach/name-pattern.js';

describe('matchesPattern', () => {
  test.each([
    { name: 'vfs_read', pattern: 'vfs_read', matches: true },
    { name: 'vfs_read', pattern: 'vfs_*', matches: true },
    { name: 'vfs_read', pattern: '*_read', matches: true },
    { name: 'vfs_read', pattern: 'vfs_?ead', matches: true },
    { name: 'vfs_read', pattern: 'vfs_?', matches: false },
    { name: 'vfs_read', pattern: 'vfs.read', matches: false },
    { name: 'aab', pattern: '*ab', matches: true },
    { name: '', pattern: '**', matches: true },
    { name: 'a', pattern: '', matches: false },
  ])('$name and $pattern: $matches', ({ name, pattern, matches }) => {
    expect(matchesPattern(name, pattern)).toBe(matches);
  });

  test('says what the regular expression of the pattern says', () => {
    const text = (letters: string) => fc.array(fc.constantFrom(...letters), { maxLength: 8 });
    fc.assert(
      fc.property(text('ab'), text('ab*?'), (letters, places) => {
        const [name, pattern] = [letters.join(''), places.join('')];
        const source = pattern.replaceAll('*', '.*').replaceAll('?', '.');
        expect(matchesPattern(name, pattern)).toBe(new RegExp(`^${source}$`).test(name));
      }),
    );
  });

  test('a pattern of many stars takes no longer than others', { timeout: 1_000 }, () => {
    expect(matchesPattern('a'.repeat(200), `${'*a'.repeat(30)}*b`)).toBe(false);
  });
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { essentialLength, essentialName } from '../../../engine/bytecode/btf/essential-name.js';

test.each([
  ['task_struct', 'task_struct'],
  ['task_struct___old', 'task_struct'],
  ['a___b', 'a'],
  ['a___b___c', 'a___b'],
  ['a____b', 'a____b'],
  ['___b', '___b'],
  ['a___', 'a___'],
  ['a_____b', 'a_____b'],
  ['', ''],
])('the essential name of %j is %j', (name, expected) => {
  expect(essentialName(name)).toBe(expected);
});

test('on bytes and on strings it is the same', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^(a|_|___){0,12}$/), (name) => {
      const bytes = new TextEncoder().encode(`x\0${name}\0y`);
      expect(essentialLength(bytes, 2)).toBe(essentialName(name).length);
    }),
  );
});

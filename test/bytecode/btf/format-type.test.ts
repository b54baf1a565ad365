import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BtfType, formatType } from '../../../engine/bytecode/index.js';
import {
  array,
  btfOf,
  enumeration,
  int,
  pointer,
  prototype,
  struct,
  typedef,
} from '../core/written-types.js';
import { expectCode, expectDocumented } from '../documented-errors.js';
import { randomType } from './random-types.js';

const INT = int('int', 4, 1);
const CHAR = int('char', 1, 1);
const qualified = (kind: 'const' | 'volatile' | 'restrict', typeId: number): BtfType => ({ kind, typeId });
const FILE = struct('file', 0, []);

describe('formatType', () => {
  test.each<[string, readonly BtfType[], string]>([
    ['an integer', [INT], 'int;'],
    ['a typedef', [INT, typedef('pid_t', 1)], 'typedef int pid_t;'],
    [
      'a typedef of a callback',
      [INT, pointer(0), prototype(1, 2), pointer(3), typedef('fn_t', 4)],
      'typedef int (*fn_t)(void *p);',
    ],
    ['a pointer to a struct', [FILE, pointer(1)], 'struct file *;'],
    ['a constant pointer', [FILE, pointer(1), qualified('const', 2)], 'struct file *const;'],
    ['a pointer to a constant', [FILE, qualified('const', 1), pointer(2)], 'const struct file *;'],
    ['an array of pointers', [CHAR, pointer(1), array(2, 3), typedef('a', 3)], 'typedef char *a[3];'],
    ['a pointer to an array', [CHAR, array(1, 3), pointer(2), typedef('p', 3)], 'typedef char (*p)[3];'],
    ['an array of arrays', [CHAR, array(1, 3), array(2, 2), typedef('m', 3)], 'typedef char m[2][3];'],
    [
      'a function',
      [INT, prototype(1), { kind: 'function', name: 'f', typeId: 2, linkage: 1 }],
      'int f(void);',
    ],
    [
      'a variadic function',
      [
        INT,
        {
          kind: 'function-prototype',
          returnTypeId: 0,
          parameters: [
            { name: 'a', typeId: 1 },
            { name: '', typeId: 0 },
          ],
        },
        { kind: 'function', name: 'f', typeId: 2, linkage: 2 },
      ],
      'extern void f(int a, ...);',
    ],
    [
      'a variable',
      [INT, qualified('volatile', 1), { kind: 'variable', name: 'v', typeId: 2, linkage: 0 }],
      'static volatile int v;',
    ],
    ['a declaration', [{ kind: 'forward', name: 'u', isUnion: true }], 'union u;'],
    ['an empty struct', [FILE], 'struct file {};'],
    ['an enum', [enumeration('e', { A: 1n, B: 2n })], 'enum e {\n\tA = 1,\n\tB = 2,\n};'],
    ['a large enum', [enumeration('e', { A: 2n ** 40n }, 'enum64')], 'enum e {\n\tA = 1099511627776ULL,\n};'],
    [
      'a struct with a bit field, an anonymous union and a flexible array',
      [
        INT,
        struct(
          '',
          4,
          [
            ['a', 1, 0],
            ['b', 1, 0],
          ],
          'union',
        ),
        array(1, 0),
        struct('s', 8, [
          ['bits', 1, 0, 3],
          ['', 2, 32],
          ['tail', 3, 64],
        ]),
      ],
      'struct s {\n\tint bits: 3;\n\tunion {\n\t\tint a;\n\t\tint b;\n\t};\n\tint tail[0];\n};',
    ],
    [
      'a struct that is a member of a struct without a name',
      [INT, struct('', 4, [['a', 1, 0]]), struct('s', 4, [['in', 2, 0]])],
      'struct s {\n\tstruct {\n\t\tint a;\n\t} in;\n};',
    ],
  ])('writes %s', (_name, types, expected) => {
    const btf = btfOf('types', types);
    expect(formatType(btf, types.length)).toBe(expected);
  });

  test.each<[string, readonly BtfType[]]>([
    ['a pointer to itself', [pointer(1)]],
    ['a constant of itself', [qualified('const', 1)]],
    [
      'anonymous structs that multiply',
      Array.from({ length: 30 }, (_, index) =>
        struct('', 0, [
          ['a', index, 0],
          ['b', index, 0],
        ]),
      ),
    ],
    ['a type that is not there', [pointer(9)]],
  ])('refuses %s', (_name, types) => {
    const btf = btfOf('types', types);
    expectCode('BTF_MALFORMED', () => formatType(btf, types.length));
  });

  test('ends for whatever types there are', () => {
    fc.assert(
      fc.property(fc.array(randomType, { minLength: 1, maxLength: 40 }), (types) => {
        const btf = btfOf('random', types);
        for (let typeId = 0; typeId < btf.typeCount; typeId++) {
          expectDocumented(() => expect(formatType(btf, typeId)).toMatch(/;$/));
        }
      }),
    );
  });
});

import { describe, expect, test } from 'vitest';
import { compatibleTypes } from '../../../engine/bytecode/core/compatible-types.js';
import { matchingTypes } from '../../../engine/bytecode/core/matching-types.js';
import type { BtfType } from '../../../engine/bytecode/index.js';
import { expectCode } from '../documented-errors.js';
import { array, btfOf, enumeration, int, pointer, prototype, struct, typedef } from './written-types.js';

const INT = int('int', 4, 1);
const LONG = int('long', 8, 1);
const UNSIGNED = int('int', 4);
const BIT_FIELD: BtfType = { kind: 'int', name: 'int', byteSize: 4, encoding: 1, bitOffset: 3, bitSize: 5 };
const FLOAT: BtfType = { kind: 'float', name: 'float', byteSize: 4 };
const declared = (name: string, isUnion = false): BtfType => ({ kind: 'forward', name, isUnion });
const constant = (typeId: number): BtfType => ({ kind: 'const', typeId });

type Relation = readonly [
  name: string,
  local: readonly BtfType[],
  kernel: readonly BtfType[],
  isCompatible: boolean,
  isMatch: boolean,
];

/** The last type of each list is compared; ids count from 1. */
const RELATIONS: readonly Relation[] = [
  ['void behind a pointer', [pointer(0)], [pointer(0)], true, true],
  ['void and something behind a pointer', [pointer(0)], [INT, pointer(1)], false, false],
  ['one integer', [INT], [INT], true, true],
  ['integers of two sizes', [INT], [int('int', 8, 1)], true, false],
  ['integers of two signs', [INT], [UNSIGNED], true, false],
  ['integers of two names', [INT], [int('s32', 4, 1)], true, false],
  ['an integer inside of its bytes', [INT], [BIT_FIELD], false, true],
  ['an integer and an enum', [INT], [enumeration('int', { A: 1n })], false, false],
  ['floats', [FLOAT], [FLOAT], false, false],
  ['typedefs of one integer', [INT, typedef('t', 1)], [INT, typedef('t', 1)], true, true],
  ['typedefs of two integers', [INT, typedef('t', 1)], [LONG, typedef('t', 1)], true, false],
  ['a typedef and what it is of', [INT, typedef('t', 1)], [INT], false, true],
  ['pointers under a modifier', [INT, constant(1), pointer(2)], [INT, pointer(1)], true, true],
  ['pointers to two kinds', [INT, pointer(1)], [FLOAT, pointer(1)], false, false],
  ['arrays of two counts', [INT, array(1, 2)], [INT, array(1, 3)], true, false],
  ['arrays of one count', [INT, array(1, 2)], [INT, array(1, 2)], true, true],
  ['arrays of two kinds', [INT, array(1, 2)], [FLOAT, array(1, 2)], false, false],
  ['enums of other numbers', [enumeration('e', { A: 1n })], [enumeration('e', { A: 2n, B: 1n })], true, true],
  ['enums of other names', [enumeration('e', { A: 1n })], [enumeration('e', { B: 1n })], true, false],
  [
    'an enum with more values',
    [enumeration('e', { A: 1n, B: 2n })],
    [enumeration('e', { A: 1n })],
    true,
    false,
  ],
  [
    'enum values by their flavour',
    [enumeration('e', { A___x: 1n })],
    [enumeration('e', { A: 1n })],
    true,
    true,
  ],
  [
    'an enum and a large enum',
    [enumeration('e', { A: 1n })],
    [enumeration('e', { A: 1n }, 'enum64')],
    true,
    false,
  ],
  ['a struct with fewer members', [INT, struct('s', 4, [['a', 1, 0]])], [struct('s', 0, [])], true, false],
  [
    'a struct with more members',
    [INT, struct('s', 4, [['a', 1, 0]])],
    [
      INT,
      struct('s', 8, [
        ['b', 1, 0],
        ['a', 1, 32],
      ]),
    ],
    true,
    true,
  ],
  [
    'a struct with a member of another type',
    [INT, struct('s', 4, [['a', 1, 0]])],
    [LONG, struct('s', 8, [['a', 1, 0]])],
    true,
    false,
  ],
  [
    'a struct with a member of another name',
    [INT, struct('s', 4, [['a', 1, 0]])],
    [INT, struct('s', 4, [['b', 1, 0]])],
    true,
    false,
  ],
  [
    'a struct and a union',
    [INT, struct('s', 4, [['a', 1, 0]])],
    [INT, struct('s', 4, [['a', 1, 0]], 'union')],
    false,
    false,
  ],
  [
    'the second of two anonymous members',
    [INT, LONG, struct('', 4, [['a', 1, 0]]), struct('s', 4, [['', 3, 0]])],
    [
      INT,
      LONG,
      struct('', 4, [['b', 1, 0]]),
      struct('', 4, [['a', 1, 0]]),
      struct('s', 8, [
        ['', 3, 0],
        ['', 4, 32],
      ]),
    ],
    true,
    true,
  ],
  [
    'structs inside of structs',
    [INT, struct('in', 4, [['a', 1, 0]]), struct('s', 4, [['in', 2, 0]])],
    [LONG, struct('in', 8, [['a', 1, 0]]), struct('s', 8, [['in', 2, 0]])],
    true,
    false,
  ],
  [
    'structs that differ behind a pointer',
    [INT, struct('in', 4, [['a', 1, 0]]), pointer(2), struct('s', 8, [['in', 3, 0]])],
    [LONG, struct('in', 8, [['b', 1, 0]]), pointer(2), struct('s', 8, [['in', 3, 0]])],
    true,
    true,
  ],
  [
    'structs of two names behind a pointer',
    [struct('one', 0, []), pointer(1)],
    [struct('two', 0, []), pointer(1)],
    true,
    false,
  ],
  [
    'a struct and a union behind a pointer',
    [struct('s', 0, []), pointer(1)],
    [struct('s', 0, [], 'union'), pointer(1)],
    false,
    false,
  ],
  [
    'a declaration and its definition behind a pointer',
    [declared('s'), pointer(1)],
    [struct('s', 0, []), pointer(1)],
    false,
    true,
  ],
  [
    'a definition and its declaration behind a pointer',
    [struct('s', 0, [], 'union'), pointer(1)],
    [declared('s', true), pointer(1)],
    false,
    true,
  ],
  [
    'a declaration of a union and a struct behind a pointer',
    [declared('s', true), pointer(1)],
    [struct('s', 0, []), pointer(1)],
    false,
    false,
  ],
  ['two declarations', [declared('s')], [declared('s')], true, true],
  ['declarations of a struct and a union', [declared('s')], [declared('s', true)], true, false],
  ['a declaration and a definition', [declared('s')], [struct('s', 0, [])], false, false],
  ['prototypes', [INT, prototype(1, 1, 1)], [INT, prototype(1, 1, 1)], true, true],
  ['prototypes of other parameters', [INT, prototype(1, 1)], [INT, LONG, prototype(1, 2)], true, false],
  ['prototypes of more parameters', [INT, prototype(1, 1)], [INT, prototype(1, 1, 1)], false, false],
  ['prototypes of another result', [INT, prototype(0, 1)], [INT, prototype(1, 1)], false, false],
  ['functions', [prototype(0), fn('f', 1)], [prototype(0), fn('f', 1)], false, false],
];

function fn(name: string, typeId: number): BtfType {
  return { kind: 'function', name, typeId, linkage: 1 };
}

describe('types of the object and of the kernel', () => {
  test.each(RELATIONS)('%s', (_name, localTypes, kernelTypes, isCompatible, isMatch) => {
    const local = btfOf('probe.o', localTypes);
    const kernel = btfOf('vmlinux', kernelTypes);
    const ids = [local, localTypes.length, kernel, kernelTypes.length] as const;
    expect({ compatible: compatibleTypes(...ids), match: matchingTypes(...ids) }).toEqual({
      compatible: isCompatible,
      match: isMatch,
    });
  });

  test('that take themselves as parameters end in an error and not in a hang', () => {
    const types = [pointer(2), prototype(1, 1, 1, 1)];
    const btf = btfOf('probe.o', types);
    expectCode('CORE_MALFORMED', () => compatibleTypes(btf, 2, btf, 2), /nests too deep/);
    expectCode('CORE_MALFORMED', () => matchingTypes(btf, 2, btf, 2), /nests too deep/);
  });

  test('that are wide and shared cost no more than the budget', () => {
    // Twenty structs of three members, each member the next struct: 3^20 ways.
    const types = Array.from({ length: 20 }, (_, index) =>
      struct(`s${index}`, 0, [
        ['a', index, 0],
        ['b', index, 0],
        ['c', index, 0],
      ]),
    );
    const btf = btfOf('probe.o', types);
    expectCode('CORE_MALFORMED', () => matchingTypes(btf, 20, btf, 20), /nests too deep/);
  });
});

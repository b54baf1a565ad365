import { describe, expect, test } from 'vitest';
import {
  type BtfType,
  type CoreKind,
  type CoreResolution,
  CoreResolver,
} from '../../../engine/bytecode/index.js';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { expectCode } from '../documented-errors.js';
import { btfOf, enumeration, int, struct } from './written-types.js';

// Both sides begin with these; ids count from 1.
const SIGNED = 1;
const UNSIGNED = 2;
const LONG = 3;
const POINTER = 4;
const BYTES = 5;
const COMMON: readonly BtfType[] = [
  int('int', 4, 1),
  int('unsigned int', 4),
  int('unsigned long', 8),
  { kind: 'pointer', typeId: 0 },
  { kind: 'array', elementTypeId: UNSIGNED, indexTypeId: UNSIGNED, count: 4 },
];

/** The object's view: a few members, in an order of its own. */
const LOCAL = btfOf('probe.o', [
  ...COMMON,
  struct('inner', 16, [
    ['deep', UNSIGNED, 0],
    ['list', BYTES, 32],
  ]), // 6
  struct('file', 64, [
    ['flags', UNSIGNED, 0],
    ['inner', 6, 32],
    ['gone', SIGNED, 160],
    ['pointer', POINTER, 192],
    ['bits', UNSIGNED, 256, 3],
    ['wrong', UNSIGNED, 288],
    ['hidden', SIGNED, 320],
    ['tail', BYTES, 352],
  ]), // 7
  struct('absent', 8, [['field', UNSIGNED, 0]]), // 8
  struct('file___old', 8, [
    ['was_there', UNSIGNED, 0],
    ['flags', UNSIGNED, 32],
  ]), // 9
  enumeration('mode', { READ: 1n, WRITE: 2n, GONE: 3n }), // 10
  { kind: 'typedef', name: 'file_t', typeId: 7 }, // 11
  struct('', 4, [['x', UNSIGNED, 0]]), // 12
  struct('twice', 4, [['x', UNSIGNED, 0]]), // 13
  { kind: 'const', typeId: 7 }, // 14
]);
const FILE = 7;

/** The kernel's view: everything moved, some things changed. */
const KERNEL = btfOf('vmlinux', [
  ...COMMON,
  struct('inner', 64, [
    ['pad', LONG, 0],
    ['list', BYTES, 128],
    ['deep', UNSIGNED, 64],
  ]), // 6
  { kind: 'typedef', name: 'inner_t', typeId: 6 }, // 7
  { kind: 'const', typeId: 7 }, // 8
  struct(
    '',
    4,
    [
      ['hidden', SIGNED, 0],
      ['other', UNSIGNED, 0],
    ],
    'union',
  ), // 9
  struct('file', 256, [
    ['inner', 8, 512],
    ['', 9, 64],
    ['pointer', POINTER, 128],
    ['bits', UNSIGNED, 1033, 3],
    ['wrong', POINTER, 1088],
    ['flags', LONG, 1152],
    ['tail', 15, 1216],
  ]), // 10
  enumeration('mode', { WRITE: 20n, READ: 10n }), // 11
  struct('twice', 8, [['x', UNSIGNED, 0]]), // 12
  struct('twice', 8, [['x', UNSIGNED, 32]]), // 13
  { kind: 'typedef', name: 'file_t', typeId: 10 }, // 14
  { kind: 'array', elementTypeId: UNSIGNED, indexTypeId: UNSIGNED, count: 0 }, // 15
]);

const resolve = (kind: CoreKind, typeId: number, access: string): CoreResolution =>
  new CoreResolver(LOCAL, { vmlinux: KERNEL, modules: () => [] }).resolve({ kind, typeId, access });

describe('CoreResolver', () => {
  test.each<[string, CoreKind, number, string, bigint, bigint]>([
    ['a member that moved', 'field-byte-offset', FILE, '0:0', 0n, 144n],
    ['a nested member under typedef and const', 'field-byte-offset', FILE, '0:1:0', 4n, 72n],
    ['an array element', 'field-byte-offset', FILE, '0:1:1:2', 16n, 88n],
    ['an element of a flexible array', 'field-byte-offset', FILE, '0:7:3', 56n, 164n],
    ['a member of an anonymous union', 'field-byte-offset', FILE, '0:6', 40n, 8n],
    ['an index on the root', 'field-byte-offset', FILE, '2:0', 128n, 656n],
    ['a member by its flavour', 'field-byte-offset', 9, '0:1', 4n, 144n],
    ['the size of a member that grew', 'field-byte-size', FILE, '0:0', 4n, 8n],
    ['the size of an array element', 'field-byte-size', FILE, '0:1:1:2', 4n, 4n],
    ['a member that exists', 'field-exists', FILE, '0:1:0', 1n, 1n],
    ['a member that does not', 'field-exists', FILE, '0:2', 1n, 0n],
    ['a member of another kind', 'field-exists', FILE, '0:5', 1n, 0n],
    ['a member of a struct that does not exist', 'field-exists', 8, '0:0', 1n, 0n],
    ['a signed member', 'field-signed', FILE, '0:6', 1n, 1n],
    ['an unsigned member', 'field-signed', FILE, '0:0', 0n, 0n],
    ['the offset of a bit field', 'field-byte-offset', FILE, '0:4', 32n, 128n],
    ['the load size of a bit field', 'field-byte-size', FILE, '0:4', 4n, 4n],
    ['the left shift of a bit field', 'field-left-shift', FILE, '0:4', 61n, 52n],
    ['the right shift of a bit field', 'field-right-shift', FILE, '0:4', 61n, 61n],
    ['a type id of the object', 'type-id-local', FILE, '0', 7n, 7n],
    ['a type id of the kernel', 'type-id-target', FILE, '0', 7n, 10n],
    ['a typedef of the kernel', 'type-id-target', 11, '0', 11n, 14n],
    ['a type id that is not there', 'type-id-target', 8, '0', 8n, 0n],
    ['a type that exists', 'type-exists', FILE, '0', 1n, 1n],
    ['a type that does not', 'type-exists', 8, '0', 1n, 0n],
    ['the size of a type', 'type-size', FILE, '0', 64n, 256n],
    ['an enum value', 'enum-value', 10, '1', 2n, 20n],
    ['an enum value that exists', 'enum-value-exists', 10, '0', 1n, 1n],
    ['an enum value that does not', 'enum-value-exists', 10, '2', 1n, 0n],
  ])('%s', (_name, kind, typeId, access, localValue, targetValue) => {
    expect(resolve(kind, typeId, access)).toMatchObject({ outcome: 'value', localValue, targetValue });
  });

  test.each<[string, CoreKind, number, string, string]>([
    ['a member that is gone', 'field-byte-offset', FILE, '0:2', 'the kernel has no field file.gone'],
    ['a member of a flavour', 'field-byte-offset', 9, '0:0', 'the kernel has no field file.was_there'],
    ['a member that changed its kind', 'field-byte-size', FILE, '0:5', 'the kernel has no field file.wrong'],
    ['a struct that is gone', 'field-byte-offset', 8, '0:0', 'the kernel has no field absent.field'],
    ['an enum value that is gone', 'enum-value', 10, '2', 'the kernel has no enum value mode.GONE'],
  ])('poisons for %s', (_name, kind, typeId, access, reason) => {
    expect(resolve(kind, typeId, access)).toEqual({ outcome: 'poison', reason });
  });

  test.each<[string, ErrorCode, CoreKind, number, string]>([
    ['an access that is not numbers', 'CORE_MALFORMED', 'field-byte-offset', FILE, '0:x'],
    ['an empty access', 'CORE_MALFORMED', 'field-byte-offset', FILE, ''],
    ['too deep an access', 'CORE_MALFORMED', 'field-byte-offset', FILE, Array(65).fill('0').join(':')],
    ['a member that the object does not have', 'CORE_MALFORMED', 'field-byte-offset', FILE, '0:99'],
    ['an index into an integer', 'CORE_MALFORMED', 'field-byte-offset', FILE, '0:0:0'],
    ['an element beyond the array', 'CORE_MALFORMED', 'field-byte-offset', FILE, '0:1:1:4'],
    ['the sign of an array element', 'CORE_MALFORMED', 'field-signed', FILE, '0:1:1:0'],
    ['a path into a type', 'CORE_MALFORMED', 'type-exists', FILE, '0:0'],
    ['an enum value of a struct', 'CORE_MALFORMED', 'enum-value', FILE, '0'],
    ['a type without name', 'CORE_MALFORMED', 'field-byte-offset', 12, '0:0'],
    ['a modifier as root', 'CORE_MALFORMED', 'field-byte-offset', 14, '0:0'],
    ['a type that is not there', 'BTF_MALFORMED', 'field-byte-offset', 99, '0:0'],
    ['candidates that differ', 'CORE_AMBIGUOUS', 'field-byte-offset', 13, '0:0'],
  ])('refuses %s', (_name, code, kind, typeId, access) => {
    expectCode(code, () => resolve(kind, typeId, access), /probe\.o/);
  });

  test('candidates that agree are not ambiguous', () => {
    expect(resolve('field-byte-size', FILE, '0:0')).toMatchObject({ targetValue: 8n });
    expect(resolve('type-size', 13, '0')).toMatchObject({ targetValue: 8n });
  });

  test('says when a load may change its size', () => {
    expect(resolve('field-byte-offset', FILE, '0:0')).toMatchObject({
      localByteSize: 4,
      targetByteSize: 8,
      canChangeSize: true,
    });
  });
});

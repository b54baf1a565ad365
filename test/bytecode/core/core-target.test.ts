import { describe, expect, test } from 'vitest';
import { type Btf, CoreResolver, type CoreTarget } from '../../../engine/bytecode/index.js';
import { expectCode } from '../documented-errors.js';
import { btfOf, int, struct } from './written-types.js';

const INT = int('int', 4, 1);
const LOCAL = btfOf('probe.o', [
  INT,
  struct('sock', 4, [['family', 1, 0]]), // 2
  struct('nft_ctx', 4, [['net', 1, 0]]), // 3
  struct('split', 12, [
    ['a', 1, 0],
    ['b', 1, 32],
  ]), // 4
  struct('split___other', 4, [['b', 1, 0]]), // 5
]);
const VMLINUX = btfOf('vmlinux', [
  INT,
  struct('sock', 32, [['family', 1, 128]]), // 2
  struct('split', 16, [['a', 1, 64]]), // 3
  struct('split', 16, [['b', 1, 96]]), // 4
]);
const FIRST = btfOf('first', [struct('sock', 64, [['family', 1, 256]])], VMLINUX);
const SECOND = btfOf('second', [INT, struct('nft_ctx', 64, [['net', 1, 320]])], VMLINUX);

/** A target that counts what is asked of it. */
function counted(modules: readonly Btf[] = [FIRST, SECOND]) {
  const asked = { target: 0, modules: 0 };
  const target: CoreTarget = {
    vmlinux: VMLINUX,
    modules: () => {
      asked.modules++;
      return modules;
    },
  };
  const resolver = new CoreResolver(LOCAL, () => {
    asked.target++;
    return target;
  });
  return { asked, resolver };
}

const offsetOf = (typeId: number, access = '0:0') => ({ kind: 'field-byte-offset', typeId, access }) as const;

describe('the target of CO-RE', () => {
  test('is not asked for a type id of the object', () => {
    const { asked, resolver } = counted();
    const resolution = resolver.resolve({ kind: 'type-id-local', typeId: 2, access: '0' });
    expect(resolution).toMatchObject({ targetValue: 2n, mustHoldLocalValue: false });
    expect(asked).toEqual({ target: 0, modules: 0 });
  });

  test('is vmlinux alone for a name that it has', () => {
    const { asked, resolver } = counted();
    expect(resolver.resolve(offsetOf(2))).toMatchObject({ targetValue: 16n });
    expect(asked).toEqual({ target: 1, modules: 0 });
  });

  test('is every module for a name that vmlinux lacks', () => {
    const { resolver } = counted();
    expect(resolver.resolve(offsetOf(3))).toMatchObject({ targetValue: 40n });
    expect(resolver.resolve({ kind: 'type-id-target', typeId: 3, access: '0' })).toMatchObject({
      targetValue: BigInt(SECOND.typeCount - 1),
    });
  });

  test('gives poison where no module has the name either', () => {
    expect(counted([FIRST]).resolver.resolve(offsetOf(3))).toEqual({
      outcome: 'poison',
      reason: 'the kernel has no field nft_ctx.net',
    });
  });

  test('is searched once for each type, and each relocation resolved once', () => {
    const { asked, resolver } = counted();
    const first = resolver.resolve(offsetOf(3));
    expect(resolver.resolve(offsetOf(3))).toBe(first);
    resolver.resolve({ kind: 'type-size', typeId: 3, access: '0' });
    expect(asked).toEqual({ target: 1, modules: 1 });
  });

  test('may be given as it is, and may be another kernel', () => {
    const resolver = new CoreResolver(LOCAL, { vmlinux: SECOND, modules: () => [] });
    expect(resolver.resolve(offsetOf(3))).toMatchObject({ targetValue: 40n });
  });
});

describe('kernel types of one name', () => {
  test('are narrowed to those that fitted before', () => {
    const { resolver } = counted();
    expect(resolver.resolve(offsetOf(4, '0:0'))).toMatchObject({ targetValue: 8n });
    expect(resolver.resolve(offsetOf(4, '0:1'))).toMatchObject({ outcome: 'poison' });
  });

  test('are not narrowed by what fitted none', () => {
    const { resolver } = counted();
    resolver.resolve({ kind: 'type-size', typeId: 4, access: '0' });
    expect(resolver.resolve(offsetOf(4, '0:1'))).toMatchObject({ targetValue: 12n });
  });

  test('are narrowed for each local type by itself', () => {
    const { resolver } = counted();
    resolver.resolve(offsetOf(4, '0:0'));
    expect(resolver.resolve(offsetOf(5))).toMatchObject({ targetValue: 12n });
  });
});

test('an error names the type and the access', () => {
  const { resolver } = counted();
  expectCode('CORE_MALFORMED', () => resolver.resolve(offsetOf(2, '0:7')), /type 2 \(sock\), access 0:7/);
  expect(resolver.describe(offsetOf(4, '0:1'))).toBe('split.b');
});

import fc from 'fast-check';
import type { Instruction, Operand, Register } from '../../../engine/bytecode/index.js';
import { JUMP, type JumpCondition } from '../../../engine/bytecode/isa.js';

const EDGES_32 = [0, 1, -1, 0x7fff_ffff, -0x8000_0000] as const;

const register = fc.integer({ min: 0, max: 10 }).map((number) => number as Register);
const int16 = fc.oneof(fc.constantFrom(0, 1, -1, 0x7fff, -0x8000), fc.integer({ min: -0x8000, max: 0x7fff }));
export const int32 = fc.oneof(
  fc.constantFrom(...EDGES_32),
  fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
);
const int64 = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 0xffff_ffffn, -0x1_0000_0000n),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const operand: fc.Arbitrary<Operand> = fc.oneof(
  fc.record({ kind: fc.constant('register' as const), register }),
  fc.record({ kind: fc.constant('immediate' as const), value: int32 }),
);
const width = fc.constantFrom(32 as const, 64 as const);
const bytes = fc.constantFrom(1 as const, 2 as const, 4 as const, 8 as const);
const atomicBytes = fc.constantFrom(4 as const, 8 as const);
const atomicPlace = { bytes: atomicBytes, base: register, offset: int16, source: register };
const space = fc.integer({ min: 0, max: 0xffff });
const kind = <K extends string>(name: K) => fc.constant(name);
const condition = fc.constantFrom(...(Object.keys(JUMP) as JumpCondition[]));

/** Every instruction that there is, each kind as often as any other. */
export const anyInstruction: fc.Arbitrary<Instruction> = fc.oneof(
  fc.record({
    kind: kind('alu'),
    width,
    operation: fc.constantFrom(
      ...(['add', 'sub', 'mul', 'div', 'or', 'and', 'lsh', 'rsh', 'mod'] as const),
      ...(['xor', 'mov', 'arsh', 'sdiv', 'smod'] as const),
    ),
    destination: register,
    source: operand,
  }),
  fc.record({ kind: kind('negate'), width, destination: register }),
  fc
    .record({
      kind: kind('move-sign-extended'),
      width,
      bits: fc.constantFrom(8 as const, 16 as const, 32 as const),
      destination: register,
      source: register,
    })
    .filter((move) => move.width === 64 || move.bits !== 32),
  fc.record({
    kind: kind('to-byte-order'),
    byteOrder: fc.constantFrom('little-endian' as const, 'big-endian' as const),
    bits: fc.constantFrom(16 as const, 32 as const, 64 as const),
    destination: register,
  }),
  fc.record({
    kind: kind('byte-swap'),
    bits: fc.constantFrom(16 as const, 32 as const, 64 as const),
    destination: register,
  }),
  fc.record({
    kind: kind('address-space-cast'),
    destination: register,
    source: register,
    toSpace: space,
    fromSpace: space,
  }),
  fc
    .record({
      kind: kind('load'),
      bytes,
      isSigned: fc.boolean(),
      destination: register,
      base: register,
      offset: int16,
    })
    .filter((load) => !(load.isSigned && load.bytes === 8)),
  fc.record({ kind: kind('store'), bytes, base: register, offset: int16, source: operand }),
  fc.record({
    kind: kind('load-packet'),
    bytes: fc.constantFrom(1 as const, 2 as const, 4 as const),
    index: fc.option(register, { nil: undefined }),
    offset: int32,
  }),
  fc.record({
    kind: kind('atomic'),
    operation: fc.constantFrom('add' as const, 'or' as const, 'and' as const, 'xor' as const),
    fetch: fc.boolean(),
    ...atomicPlace,
  }),
  fc.record({ kind: kind('exchange'), ...atomicPlace }),
  fc.record({ kind: kind('compare-exchange'), ...atomicPlace }),
  fc.record({ kind: kind('load-acquire'), bytes, base: register, offset: int16, destination: register }),
  fc.record({ kind: kind('store-release'), bytes, base: register, offset: int16, source: register }),
  fc.record({ kind: kind('load-immediate64'), destination: register, value: int64 }),
  fc.record({
    kind: kind('load-address'),
    destination: register,
    address: fc.oneof(
      fc.record({ kind: kind('map-fd'), mapFd: int32 }),
      fc.record({ kind: kind('map-value'), mapFd: int32, byteOffset: int32 }),
      fc.record({ kind: kind('variable'), typeId: int32, btfFd: int32 }),
      fc.record({ kind: kind('function'), offset: int32 }),
      fc.record({ kind: kind('map-index'), mapIndex: int32 }),
      fc.record({ kind: kind('map-index-value'), mapIndex: int32, byteOffset: int32 }),
    ),
  }),
  fc.oneof(
    fc.record({ kind: kind('jump'), isLong: fc.constant(false), offset: int16 }),
    fc.record({ kind: kind('jump'), isLong: fc.constant(true), offset: int32 }),
  ),
  fc.record({ kind: kind('jump-if'), width, condition, left: register, right: operand, offset: int16 }),
  fc.record({ kind: kind('may-goto'), offset: int16 }),
  fc.record({ kind: kind('exit') }),
  fc.record({ kind: kind('call-helper'), helperId: fc.oneof(int32, fc.integer({ min: 0, max: 250 })) }),
  fc.record({ kind: kind('call-local'), offset: int32 }),
  fc.record({ kind: kind('call-kfunc'), typeId: int32, fdArrayIndex: int16 }),
  fc.record({ kind: kind('call-register'), register }),
);

export const anyCode = fc.array(anyInstruction, { maxLength: 24 });

import fc from 'fast-check';
import type { BtfType } from '../../../engine/bytecode/index.js';

const name = fc.stringMatching(/^[a-z_]{1,12}$/);
const typeId = fc.nat(40);
const u32 = fc.nat(0xffff_ffff);

/** A composite has bit fields or not; with them, offsets have 24 bits. */
const members = fc.oneof(
  fc.array(fc.record({ name, typeId, bitOffset: u32, bitFieldSize: fc.constant(0) }), { maxLength: 5 }),
  fc.array(
    fc.record({ name, typeId, bitOffset: fc.nat(0xff_ffff), bitFieldSize: fc.integer({ min: 1, max: 64 }) }),
    {
      maxLength: 5,
    },
  ),
);

const enumOf = (kind: 'enum' | 'enum64', bits: number) =>
  fc.boolean().chain((isSigned) =>
    fc.record({
      kind: fc.constant(kind),
      name,
      byteSize: fc.constant(bits / 8),
      isSigned: fc.constant(isSigned),
      values: fc.array(
        fc.record({
          name,
          value: isSigned
            ? fc.bigInt({ min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n })
            : fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n }),
        }),
        { maxLength: 5 },
      ),
    }),
  );

const of = <K extends BtfType['kind']>(kind: K) => fc.constant(kind);

/** A type of any kind, which may refer to types that are not there. */
export const randomType: fc.Arbitrary<Exclude<BtfType, { kind: 'void' }>> = fc.oneof(
  fc.record({
    kind: of('int'),
    name,
    byteSize: fc.constantFrom(1, 2, 4, 8, 16),
    encoding: fc.constantFrom(0, 1, 2, 4),
    bitOffset: fc.nat(255),
    bitSize: fc.nat(255),
  }),
  fc.record({ kind: of('pointer'), typeId }),
  fc.record({ kind: of('array'), elementTypeId: typeId, indexTypeId: typeId, count: u32 }),
  fc.record({ kind: fc.constantFrom('struct', 'union'), name, byteSize: u32, members }),
  enumOf('enum', 32),
  enumOf('enum64', 64),
  fc.record({ kind: of('forward'), name, isUnion: fc.boolean() }),
  fc.record({ kind: of('typedef'), name, typeId }),
  fc.record({ kind: fc.constantFrom('volatile', 'const', 'restrict'), typeId }),
  fc.record({ kind: of('function'), name, typeId, linkage: fc.nat(2) }),
  fc.record({
    kind: of('function-prototype'),
    returnTypeId: typeId,
    parameters: fc.array(fc.record({ name, typeId }), { maxLength: 5 }),
  }),
  fc.record({ kind: of('variable'), name, typeId, linkage: fc.nat(2) }),
  fc.record({
    kind: of('data-section'),
    name,
    byteSize: u32,
    variables: fc.array(fc.record({ typeId, byteOffset: u32, byteSize: u32 }), { maxLength: 5 }),
  }),
  fc.record({ kind: of('float'), name, byteSize: fc.constantFrom(2, 4, 8, 12, 16) }),
  fc.record({
    kind: of('declaration-tag'),
    name,
    typeId,
    componentIndex: fc.integer({ min: -1, max: 100 }),
    isAttribute: fc.boolean(),
  }),
  fc.record({ kind: of('type-tag'), name, typeId, isAttribute: fc.boolean() }),
);

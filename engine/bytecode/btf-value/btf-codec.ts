import { VespidError } from '../../errors/index.js';
import { INT_ENCODING } from '../btf/btf-format.js';
import { byteSizeOf, POINTER_BYTES, underlyingType } from '../btf/btf-layout.js';
import type { Btf } from '../btf/btf-reader.js';
import type { BtfArray, BtfComposite, BtfEnum, BtfInt, BtfMember } from '../btf/btf-type.js';
import type { Codec } from './codec.js';
import { integerCodec } from './integer-codec.js';
import { mismatch } from './value-mismatch.js';

/**
 * A value of a BTF type: integers and enums of up to 32 bits and floats as numbers, wider integers and pointers as
 * bigints, `bool` as a boolean, `char[]` as the text before its NUL, other arrays as arrays, structs and unions as
 * objects (members of anonymous members at their place).
 */
export type BtfValue =
  | number
  | bigint
  | boolean
  | string
  | readonly BtfValue[]
  | { readonly [member: string]: BtfValue };

/** Types in types: the kernel's own limit (MAX_RESOLVE_DEPTH) against hostile BTF. */
const MOST_DEPTH = 32;

/**
 * How values of a BTF type stand in memory. Encoding also takes the name of an enum's constant, and an object
 * without some members, which are then zero; of a union, the members that are given are written in turn.
 *
 * @param where what the type is of, for messages
 * @throws VespidError BTF_VALUE_UNSUPPORTED for a type without values (void, functions, forward declarations);
 *   the codec: BTF_VALUE_MISMATCH naming the member
 */
export function btfCodec(btf: Btf, typeId: number, where = 'value'): Codec<BtfValue> {
  return codecOf(btf, typeId, where, 0);
}

function codecOf(btf: Btf, typeId: number, where: string, depth: number): Codec<BtfValue> {
  const type = underlyingType(btf, typeId);
  if (depth > MOST_DEPTH) throw unsupported(where, `types nest deeper than ${MOST_DEPTH}`);
  switch (type.kind) {
    case 'int':
      return intCodec(type, where);
    case 'enum':
    case 'enum64':
      return enumCodec(type, where);
    case 'pointer':
      return unsigned(POINTER_BYTES, where);
    case 'float':
      return floatCodec(type.byteSize, where);
    case 'array':
      return isText(btf, type) ? textCodec(type.count, where) : arrayCodec(btf, type, where, depth);
    case 'struct':
    case 'union':
      return compositeCodec(btf, type, where, depth);
    case 'variable':
      return codecOf(btf, type.typeId, where, depth + 1);
    default:
      throw unsupported(where, `a ${type.kind} has no value`);
  }
}

function unsupported(where: string, reason: string): VespidError {
  return new VespidError('BTF_VALUE_UNSUPPORTED', `${where}: ${reason}`);
}

function intCodec(type: BtfInt, where: string): Codec<BtfValue> {
  if ((type.encoding & INT_ENCODING.bool) !== 0) return boolCodec(type.byteSize, where);
  const isSigned = (type.encoding & INT_ENCODING.signed) !== 0;
  // The cast widens: what integers take is narrower than what any BTF value is, and is checked when encoded.
  return integerCodec({ ...type, isSigned }, where) as Codec<BtfValue>;
}

function unsigned(byteSize: number, where: string): Codec<BtfValue> {
  // As above.
  return integerCodec(
    { byteSize, bitOffset: 0, bitSize: byteSize * 8, isSigned: false },
    where,
  ) as Codec<BtfValue>;
}

function boolCodec(byteSize: number, where: string): Codec<BtfValue> {
  return {
    byteSize,
    encode(value, target) {
      if (typeof value !== 'boolean') throw mismatch(where, 'a boolean', value);
      target.fill(0);
      target[0] = value ? 1 : 0;
    },
    decode: (bytes) => bytes.some((byte) => byte !== 0),
  };
}

function enumCodec(type: BtfEnum, where: string): Codec<BtfValue> {
  const { byteSize, isSigned } = type;
  const integer = integerCodec({ byteSize, bitOffset: 0, bitSize: byteSize * 8, isSigned }, where);
  return {
    byteSize,
    encode(value, target) {
      integer.encode(
        typeof value === 'string' ? constantOf(type, value, where) : numeric(value, where),
        target,
      );
    },
    decode: (bytes) => integer.decode(bytes),
  };
}

function constantOf(type: BtfEnum, name: string, where: string): bigint {
  const found = type.values.find((value) => value.name === name);
  if (found !== undefined) return found.value;
  throw mismatch(where, `a constant of enum ${type.name}`, name);
}

function numeric(value: BtfValue, where: string): number | bigint {
  if (typeof value === 'number' || typeof value === 'bigint') return value;
  throw mismatch(where, 'a number', value);
}

function floatCodec(byteSize: number, where: string): Codec<BtfValue> {
  if (byteSize !== 4 && byteSize !== 8) throw unsupported(where, `a float of ${byteSize} bytes`);
  return {
    byteSize,
    encode(value, target) {
      if (typeof value !== 'number') throw mismatch(where, 'a number', value);
      const view = new DataView(target.buffer, target.byteOffset, byteSize);
      if (byteSize === 4) view.setFloat32(0, value, true);
      else view.setFloat64(0, value, true);
    },
    decode(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, byteSize);
      return byteSize === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
    },
  };
}

/** `char[]`: compilers describe `char` as an int of that name, few with the encoding for it. */
function isText(btf: Btf, array: BtfArray): boolean {
  const element = underlyingType(btf, array.elementTypeId);
  if (element.kind !== 'int' || element.byteSize !== 1) return false;
  return element.name === 'char' || (element.encoding & INT_ENCODING.char) !== 0;
}

function textCodec(byteSize: number, where: string): Codec<BtfValue> {
  return {
    byteSize,
    encode(value, target) {
      if (typeof value !== 'string') throw mismatch(where, 'a text', value);
      const text = new TextEncoder().encode(value);
      // Names of the kernel (comm, paths) always end in a NUL, so one that fills the array is cut in programs.
      if (text.byteLength > byteSize || text.includes(0)) {
        throw mismatch(where, `at most ${byteSize} bytes of text without a NUL`, value);
      }
      target.fill(0);
      target.set(text);
    },
    decode(bytes) {
      const end = bytes.indexOf(0);
      return new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end));
    },
  };
}

function arrayCodec(
  btf: Btf,
  { elementTypeId, count }: BtfArray,
  where: string,
  depth: number,
): Codec<BtfValue> {
  const element = codecOf(btf, elementTypeId, `${where}[]`, depth + 1);
  const { byteSize } = element;
  const partOf = (bytes: Uint8Array, index: number) =>
    bytes.subarray(index * byteSize, (index + 1) * byteSize);
  return {
    byteSize: byteSize * count,
    encode(value, target) {
      if (!Array.isArray(value) || value.length !== count)
        throw mismatch(where, `an array of ${count}`, value);
      for (const [index, each] of value.entries()) element.encode(each, partOf(target, index));
    },
    decode: (bytes) => Array.from({ length: count }, (_, index) => element.decode(partOf(bytes, index))),
  };
}

/** A member with its name, and the bytes of the whole that it is read from. */
interface PlacedCodec {
  readonly name: string;
  readonly byteOffset: number;
  readonly codec: Codec<BtfValue>;
}

function compositeCodec(btf: Btf, type: BtfComposite, where: string, depth: number): Codec<BtfValue> {
  const members = placeMembers(btf, type, 0, where, depth);
  const names = new Set(members.map(({ name }) => name));
  const partOf = (bytes: Uint8Array, { byteOffset, codec }: PlacedCodec) =>
    bytes.subarray(byteOffset, byteOffset + codec.byteSize);
  return {
    byteSize: type.byteSize,
    encode(value, target) {
      if (!isRecord(value))
        throw mismatch(where, `an object with members of ${type.kind} ${type.name}`, value);
      const unknown = Object.keys(value).find((name) => !names.has(name));
      if (unknown !== undefined) throw mismatch(where, `members ${[...names].join(', ')}`, unknown);
      target.fill(0);
      for (const member of members) {
        const given = value[member.name];
        if (given !== undefined) member.codec.encode(given, partOf(target, member));
      }
    },
    decode: (bytes) =>
      Object.fromEntries(members.map((member) => [member.name, member.codec.decode(partOf(bytes, member))])),
  };
}

function isRecord(value: BtfValue): value is { readonly [member: string]: BtfValue } {
  return typeof value === 'object' && !Array.isArray(value);
}

function placeMembers(
  btf: Btf,
  type: BtfComposite,
  baseByteOffset: number,
  where: string,
  depth: number,
): PlacedCodec[] {
  return type.members.flatMap((member) => {
    const memberType = underlyingType(btf, member.typeId);
    const path = `${where}.${member.name}`;
    if (member.bitFieldSize > 0) return [placeBitField(member, baseByteOffset, memberType, type, path)];
    const byteOffset = baseByteOffset + member.bitOffset / 8;
    const isAnonymous = member.name === '' && 'members' in memberType;
    if (isAnonymous && depth < MOST_DEPTH) return placeMembers(btf, memberType, byteOffset, where, depth + 1);
    const codec = codecOf(btf, member.typeId, path, depth + 1);
    if (byteSizeOf(btf, member.typeId) + byteOffset > baseByteOffset + type.byteSize) {
      throw unsupported(path, `lies outside of its ${type.kind}`);
    }
    return [{ name: member.name, byteOffset, codec }];
  });
}

/** A bit field is read from the bytes that its bits are in. Unnamed ones are padding, which has no value. */
function placeBitField(
  member: BtfMember,
  baseByteOffset: number,
  type: { readonly kind: string },
  composite: BtfComposite,
  where: string,
): PlacedCodec {
  const first = Math.floor(member.bitOffset / 8);
  const bitOffset = member.bitOffset % 8;
  const byteSize = Math.ceil((bitOffset + member.bitFieldSize) / 8);
  if (first + byteSize > composite.byteSize)
    throw unsupported(where, `lies outside of its ${composite.kind}`);
  const isSigned =
    ('encoding' in type && (Number(type.encoding) & INT_ENCODING.signed) !== 0) ||
    ('isSigned' in type && type.isSigned === true);
  const place = { byteSize, bitOffset, bitSize: member.bitFieldSize, isSigned };
  return {
    name: member.name,
    byteOffset: baseByteOffset + first,
    // As for integers.
    codec: integerCodec(place, where) as Codec<BtfValue>,
  };
}

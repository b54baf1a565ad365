import { suggestName, VespidError } from '../../errors/index.js';
import { INT_ENCODING } from '../btf/btf-format.js';
import { byteSizeOf, underlyingType } from '../btf/btf-layout.js';
import type { Btf } from '../btf/btf-reader.js';
import type { BtfType } from '../btf/btf-type.js';
import type { ByteOrder } from '../byte-reader.js';
import type { VariablePlace } from './variable-place.js';

/**
 * A value for a global variable. A string is for an array of char, or names a value of an enum; bytes are for
 * any type, in the object's own layout and byte order.
 */
export type VariableValue = bigint | number | boolean | string | Uint8Array;

const UTF8 = new TextEncoder();

/**
 * Writes a value over a variable, checked by its type.
 * @param section bytes of the section that the variable is in
 * @throws VespidError OBJECT_VARIABLE_INVALID for a value that the type cannot hold
 */
export function encodeVariable(
  btf: Btf,
  place: VariablePlace,
  value: VariableValue,
  section: Uint8Array,
  byteOrder: ByteOrder,
): void {
  const type = underlyingType(btf, place.typeId);
  const byteSize = placeBytes(btf, place);
  if (place.byteOffset + byteSize > section.byteLength) {
    throw invalid(place, 'its type is larger than its section');
  }
  if (value instanceof Uint8Array) {
    if (place.bits !== undefined) throw invalid(place, 'a bit field: give a number');
    if (value.byteLength !== byteSize) {
      throw invalid(place, `${byteSize} bytes expected, got ${value.byteLength}`);
    }
    section.set(value, place.byteOffset);
    return;
  }
  if (type.kind === 'array') {
    section.set(text(btf, place, type.elementTypeId, type.count, value), place.byteOffset);
    return;
  }
  if (type.kind === 'float') {
    section.set(float(place, byteSize, value, byteOrder), place.byteOffset);
    return;
  }
  const bitSize = place.bits?.bitSize ?? byteSize * 8;
  const number = wholeNumber(place, type, value, bitSize);
  putBits(section, place, byteSize, bitSize, number, byteOrder);
}

/** Bytes that a value touches. */
function placeBytes(btf: Btf, { typeId, bits }: VariablePlace): number {
  return bits === undefined ? byteSizeOf(btf, typeId) : Math.ceil((bits.bitOffset + bits.bitSize) / 8);
}

/** The characters with zeros after them, at least one. */
function text(
  btf: Btf,
  place: VariablePlace,
  elementId: number,
  count: number,
  value: VariableValue,
): Uint8Array {
  const element = underlyingType(btf, elementId);
  if (typeof value !== 'string' || element.kind !== 'int' || element.byteSize !== 1) {
    throw invalid(place, 'an array: give a string for one of char, bytes for all of it, or set its elements');
  }
  const characters = UTF8.encode(value);
  if (characters.includes(0)) throw invalid(place, 'a string with a NUL in it');
  if (characters.byteLength >= count) {
    throw invalid(place, `${characters.byteLength} bytes and a NUL do not fit into char[${count}]`);
  }
  const padded = new Uint8Array(count);
  padded.set(characters);
  return padded;
}

function float(
  place: VariablePlace,
  byteSize: number,
  value: VariableValue,
  byteOrder: ByteOrder,
): Uint8Array {
  if (typeof value !== 'number') throw invalid(place, `a floating point number, got ${describe(value)}`);
  const view = new DataView(new ArrayBuffer(byteSize));
  const isLittleEndian = byteOrder === 'little-endian';
  if (byteSize === 4) view.setFloat32(0, value, isLittleEndian);
  else if (byteSize === 8) view.setFloat64(0, value, isLittleEndian);
  else throw invalid(place, `a floating point number of ${byteSize} bytes: give its bytes`);
  return new Uint8Array(view.buffer);
}

function wholeNumber(place: VariablePlace, type: BtfType, value: VariableValue, bitSize: number): bigint {
  switch (type.kind) {
    case 'int': {
      if ((type.encoding & INT_ENCODING.bool) !== 0) return inRange(place, integer(place, value), 1, false);
      return inRange(place, integer(place, value), bitSize, (type.encoding & INT_ENCODING.signed) !== 0);
    }
    case 'enum':
    case 'enum64': {
      if (typeof value !== 'string') return inRange(place, integer(place, value), bitSize, type.isSigned);
      const named = type.values.find(({ name }) => name === value);
      if (named !== undefined) return named.value;
      const names = type.values.map(({ name }) => name);
      throw invalid(place, `enum ${type.name} has no value ${value}`, suggestName(value, names));
    }
    case 'pointer':
      return inRange(place, integer(place, value), bitSize, false);
    default:
      throw invalid(place, `of kind ${type.kind}: set its members, or give its bytes`);
  }
}

function integer(place: VariablePlace, value: VariableValue): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  throw invalid(place, `a whole number expected, got ${describe(value)}`, 'give a bigint above 2^53');
}

function inRange(place: VariablePlace, value: bigint, bitSize: number, isSigned: boolean): bigint {
  const bits = BigInt(bitSize);
  const least = isSigned ? -(1n << (bits - 1n)) : 0n;
  const most = (1n << (isSigned ? bits - 1n : bits)) - 1n;
  if (value >= least && value <= most) return value;
  throw invalid(place, `${least} to ${most} expected, got ${value}`);
}

/** Bits count from the lowest in a little-endian object, from the highest in a big-endian one. */
function putBits(
  section: Uint8Array,
  place: VariablePlace,
  byteCount: number,
  bitSize: number,
  value: bigint,
  byteOrder: ByteOrder,
): void {
  const bitOffset = place.bits?.bitOffset ?? 0;
  const isLittleEndian = byteOrder === 'little-endian';
  const shift = isLittleEndian ? bitOffset : byteCount * 8 - bitOffset - bitSize;
  const mask = ((1n << BigInt(bitSize)) - 1n) << BigInt(shift);
  const bits = (BigInt.asUintN(bitSize, value) << BigInt(shift)) & mask;
  for (let index = 0; index < byteCount; index++) {
    const at = BigInt((isLittleEndian ? index : byteCount - 1 - index) * 8);
    const kept = (section[place.byteOffset + index] ?? 0) & ~Number((mask >> at) & 0xffn);
    section[place.byteOffset + index] = kept | Number((bits >> at) & 0xffn);
  }
}

function describe(value: VariableValue): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

function invalid(place: VariablePlace, message: string, hint?: string): VespidError {
  return new VespidError(
    'OBJECT_VARIABLE_INVALID',
    `variable ${place.path}: ${message}`,
    hint === undefined ? {} : { hint },
  );
}

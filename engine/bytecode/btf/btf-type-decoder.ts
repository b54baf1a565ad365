import type { ByteReader } from '../byte-reader.js';
import { TYPE_HEADER_BYTES } from './btf-format.js';
import type { BtfKind, BtfType } from './btf-type.js';

/** The name at a byte offset of the string section. */
type StringAt = (byteOffset: number) => string;

/**
 * The type whose record is at `at` in the type section; the record's length was checked when the section was
 * indexed. Documentation/bpf/btf.rst, section 2.2.
 */
export function decodeType(types: ByteReader, at: number, kind: BtfKind, stringAt: StringAt): BtfType {
  const info = types.u32(at + 4);
  const kindFlag = info >>> 31 === 1;
  const name = stringAt(types.u32(at));
  /** The field that the kernel calls `size` or `type`, by kind. */
  const sizeOrType = types.u32(at + 8);
  const rest = at + TYPE_HEADER_BYTES;
  switch (kind) {
    case 'void':
      return { kind };
    case 'int':
      return decodeInt(types.u32(rest), name, sizeOrType);
    case 'array':
      return {
        kind,
        elementTypeId: types.u32(rest),
        indexTypeId: types.u32(rest + 4),
        count: types.u32(rest + 8),
      };
    case 'struct':
    case 'union':
    case 'enum':
    case 'enum64':
    case 'function-prototype':
    case 'data-section':
      return decodeList(types, at, kind, stringAt);
    case 'pointer':
    case 'volatile':
    case 'const':
    case 'restrict':
      return { kind, typeId: sizeOrType };
    case 'forward':
      return { kind, name, isUnion: kindFlag };
    case 'typedef':
      return { kind, name, typeId: sizeOrType };
    case 'function':
      return { kind, name, typeId: sizeOrType, linkage: info & 0xffff };
    case 'variable':
      return { kind, name, typeId: sizeOrType, linkage: types.u32(rest) };
    case 'float':
      return { kind, name, byteSize: sizeOrType };
    case 'declaration-tag':
      return { kind, name, typeId: sizeOrType, componentIndex: types.i32(rest), isAttribute: kindFlag };
    case 'type-tag':
      return { kind, name, typeId: sizeOrType, isAttribute: kindFlag };
  }
}

function decodeInt(word: number, name: string, byteSize: number): BtfType {
  return {
    kind: 'int',
    name,
    byteSize,
    encoding: (word >>> 24) & 0xf,
    bitOffset: (word >>> 16) & 0xff,
    bitSize: word & 0xff,
  };
}

type ListKind = 'struct' | 'union' | 'enum' | 'enum64' | 'function-prototype' | 'data-section';

function decodeList(types: ByteReader, at: number, kind: ListKind, stringAt: StringAt): BtfType {
  const info = types.u32(at + 4);
  const kindFlag = info >>> 31 === 1;
  const name = stringAt(types.u32(at));
  const byteSize = types.u32(at + 8);
  const rest = at + TYPE_HEADER_BYTES;
  const entries = <T>(entryBytes: number, decode: (entryAt: number) => T): T[] => {
    const list: T[] = [];
    const end = rest + (info & 0xffff) * entryBytes;
    for (let entryAt = rest; entryAt < end; entryAt += entryBytes) list.push(decode(entryAt));
    return list;
  };
  switch (kind) {
    case 'struct':
    case 'union':
      return {
        kind,
        name,
        byteSize,
        members: entries(12, (e) => decodeMember(types, e, kindFlag, stringAt)),
      };
    case 'enum':
      return {
        kind,
        name,
        byteSize,
        isSigned: kindFlag,
        values: entries(8, (e) => ({
          name: stringAt(types.u32(e)),
          value: BigInt(kindFlag ? types.i32(e + 4) : types.u32(e + 4)),
        })),
      };
    case 'enum64':
      return {
        kind,
        name,
        byteSize,
        isSigned: kindFlag,
        values: entries(12, (e) => ({
          name: stringAt(types.u32(e)),
          value: decodeValue64(types.u32(e + 4), types.u32(e + 8), kindFlag),
        })),
      };
    case 'function-prototype':
      return {
        kind,
        returnTypeId: byteSize,
        parameters: entries(8, (e) => ({ name: stringAt(types.u32(e)), typeId: types.u32(e + 4) })),
      };
    case 'data-section':
      return {
        kind,
        name,
        byteSize,
        variables: entries(12, (e) => ({
          typeId: types.u32(e),
          byteOffset: types.u32(e + 4),
          byteSize: types.u32(e + 8),
        })),
      };
  }
}

/** Two words of 32 bits, the lower first in either byte order (`struct btf_enum64`). */
function decodeValue64(low: number, high: number, isSigned: boolean): bigint {
  const value = (BigInt(high) << 32n) | BigInt(low);
  return isSigned ? BigInt.asIntN(64, value) : value;
}

/** With the kind flag, the offset field also holds a bit field's size. */
function decodeMember(types: ByteReader, at: number, kindFlag: boolean, stringAt: StringAt) {
  const offset = types.u32(at + 8);
  return {
    name: stringAt(types.u32(at)),
    typeId: types.u32(at + 4),
    bitOffset: kindFlag ? offset & 0x00ff_ffff : offset,
    bitFieldSize: kindFlag ? offset >>> 24 : 0,
  };
}

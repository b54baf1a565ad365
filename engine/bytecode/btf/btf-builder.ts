import { VespidError } from '../../errors/index.js';
import { ByteWriter } from '../byte-writer.js';
import {
  BTF_HEADER_BYTES,
  BTF_KIND,
  BTF_MAGIC,
  BTF_VERSION,
  MAX_ENTRIES,
  MAX_STRING_OFFSET,
  MAX_TYPE_ID,
} from './btf-format.js';
import type { Btf } from './btf-reader.js';
import type { BtfMember, BtfType } from './btf-type.js';

const UTF8 = new TextDecoder();

/**
 * Builds a BTF blob, little-endian. Ids are given in the order of {@link BtfBuilder.add} and
 * {@link BtfBuilder.reserve}, strings are kept in the order of their first use: the same calls give the same
 * bytes.
 */
export class BtfBuilder {
  readonly #base: Btf | undefined;
  readonly #firstTypeId: number;
  readonly #types: (BtfType | undefined)[] = [];
  readonly #stringOffsets = new Map<string, number>([['', 0]]);
  readonly #strings = new ByteWriter();
  readonly #stringsStart: number;

  /** @param base what the BTF is to continue: ids begin where those of the base end, its strings are used */
  constructor(base?: Btf) {
    this.#base = base;
    this.#firstTypeId = base?.typeCount ?? 1;
    this.#stringsStart = base?.stringsEnd ?? 0;
    if (base === undefined) this.#strings.u8(0);
  }

  /**
   * A builder that begins with all types and strings of a BTF, so that types can be added and redefined: ids and
   * string offsets, which .BTF.ext refers to, stay as they are.
   * @throws VespidError BTF_MALFORMED
   */
  static from(btf: Btf): BtfBuilder {
    const builder = new BtfBuilder(btf.base);
    builder.#takeStrings(btf.ownStrings);
    for (let typeId = btf.firstTypeId; typeId < btf.typeCount; typeId++) builder.add(btf.type(typeId));
    return builder;
  }

  /** @returns the new type's id */
  add(type: BtfType): number {
    const typeId = this.reserve();
    this.define(typeId, type);
    return typeId;
  }

  /** An id to be defined later, for types that refer to one another. */
  reserve(): number {
    this.#types.push(undefined);
    return this.#firstTypeId + this.#types.length - 1;
  }

  define(typeId: number, type: BtfType): void {
    this.#types[typeId - this.#firstTypeId] = type;
  }

  /** Offset of a string in the string section, which .BTF.ext refers to as well. */
  stringOffset(text: string): number {
    const existing = this.#stringOffsets.get(text);
    if (existing !== undefined) return existing;
    if (text.includes('\0')) throw invalid(`a name with a NUL in it: ${JSON.stringify(text)}`);
    const offset = this.#base?.findString(text) ?? this.#appendString(text);
    this.#stringOffsets.set(text, offset);
    return offset;
  }

  #takeStrings(section: Uint8Array): void {
    // Without the empty string, which is there already.
    const bytes = this.#base === undefined ? section.subarray(1) : section;
    let start = 0;
    while (start < bytes.byteLength) {
      const end = bytes.indexOf(0, start);
      const text = UTF8.decode(bytes.subarray(start, end));
      const offset = this.#stringsStart + this.#strings.byteLength + start;
      if (!this.#stringOffsets.has(text)) this.#stringOffsets.set(text, offset);
      start = end + 1;
    }
    this.#strings.bytes(bytes);
  }

  #appendString(text: string): number {
    const offset = this.#stringsStart + this.#strings.byteLength;
    this.#strings.cString(text);
    return offset;
  }

  /**
   * @throws VespidError OBJECT_DEFINITION_INVALID if an id is not defined, or a count or size does not fit into
   * the format
   */
  build(): Uint8Array {
    const lastTypeId = this.#firstTypeId + this.#types.length - 1;
    if (lastTypeId > MAX_TYPE_ID) throw invalid(`${lastTypeId} types, limit ${MAX_TYPE_ID}`);
    const types = new ByteWriter();
    for (const [index, type] of this.#types.entries()) {
      if (type === undefined || type.kind === 'void')
        throw invalid(`type ${this.#firstTypeId + index} was never defined`);
      this.#encode(types, type);
    }
    const strings = this.#strings.finish();
    if (strings.byteLength > MAX_STRING_OFFSET) throw invalid(`${strings.byteLength} bytes of names`);
    return new ByteWriter()
      .u16(BTF_MAGIC)
      .u8(BTF_VERSION)
      .u8(0)
      .u32(BTF_HEADER_BYTES)
      .u32(0)
      .u32(types.byteLength)
      .u32(types.byteLength)
      .u32(strings.byteLength)
      .bytes(types.finish())
      .bytes(strings)
      .finish();
  }

  #encode(out: ByteWriter, type: Exclude<BtfType, { kind: 'void' }>): void {
    const header = (entryCount: number, kindFlag: boolean, sizeOrType: number): ByteWriter => {
      if (entryCount > MAX_ENTRIES) throw invalid(`${type.kind} with ${entryCount} entries`);
      const flag = kindFlag ? 0x8000_0000 : 0;
      return out
        .u32('name' in type ? this.stringOffset(type.name) : 0)
        .u32(flag + BTF_KIND[type.kind] * 2 ** 24 + entryCount)
        .u32(sizeOrType);
    };
    switch (type.kind) {
      case 'int':
        header(0, false, type.byteSize).u32((type.encoding << 24) | (type.bitOffset << 16) | type.bitSize);
        return;
      case 'array':
        header(0, false, 0).u32(type.elementTypeId).u32(type.indexTypeId).u32(type.count);
        return;
      case 'struct':
      case 'union': {
        const hasBitFields = type.members.some((member) => member.bitFieldSize !== 0);
        header(type.members.length, hasBitFields, type.byteSize);
        for (const member of type.members) this.#encodeMember(out, member, hasBitFields);
        return;
      }
      case 'function-prototype':
        header(type.parameters.length, false, type.returnTypeId);
        for (const { name, typeId } of type.parameters) out.u32(this.stringOffset(name)).u32(typeId);
        return;
      case 'data-section':
        header(type.variables.length, false, type.byteSize);
        for (const { typeId, byteOffset, byteSize } of type.variables) {
          out.u32(typeId).u32(byteOffset).u32(byteSize);
        }
        return;
      case 'enum':
        header(type.values.length, type.isSigned, type.byteSize);
        for (const { name, value } of type.values) {
          out.u32(this.stringOffset(name)).u32(Number(BigInt.asUintN(32, value)));
        }
        return;
      case 'enum64':
        header(type.values.length, type.isSigned, type.byteSize);
        for (const { name, value } of type.values) {
          out.u32(this.stringOffset(name)).u64(BigInt.asUintN(64, value));
        }
        return;
      case 'forward':
        header(0, type.isUnion, 0);
        return;
      case 'function':
        // The linkage stands where other kinds have their count.
        header(type.linkage, false, type.typeId);
        return;
      case 'variable':
        header(0, false, type.typeId).u32(type.linkage);
        return;
      case 'float':
        header(0, false, type.byteSize);
        return;
      case 'declaration-tag':
        header(0, type.isAttribute, type.typeId).u32(type.componentIndex);
        return;
      case 'type-tag':
        header(0, type.isAttribute, type.typeId);
        return;
      default:
        header(0, false, type.typeId);
    }
  }

  #encodeMember(out: ByteWriter, member: BtfMember, hasBitFields: boolean): void {
    if (hasBitFields && (member.bitOffset > 0x00ff_ffff || member.bitFieldSize > 0xff)) {
      throw invalid(`member ${member.name} at bit ${member.bitOffset} does not fit beside bit fields`);
    }
    out
      .u32(this.stringOffset(member.name))
      .u32(member.typeId)
      .u32(member.bitOffset + member.bitFieldSize * 2 ** 24);
  }
}

function invalid(message: string): VespidError {
  return new VespidError('OBJECT_DEFINITION_INVALID', `BTF: ${message}`);
}

import { TYPE_HEADER_BYTES } from '../btf/btf-format.js';
import { Btf } from '../btf/btf-reader.js';

/** Places in the BTF header (`struct btf_header`). */
const HEADER_LENGTH_AT = 4;
const TYPE_BYTES_AT = 12;
const STRING_OFFSET_AT = 16;
const STRING_BYTES_AT = 20;

/** Bits of `btf_type.info` that hold a function's linkage. */
const LINKAGE_BITS = 0xffff;

const UTF8 = new TextEncoder();

/** Changes a BTF blob in place, and appends to it: ids and string offsets that there are stay as they are. */
export class BtfPatch {
  readonly #btf: Btf;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #isLittleEndian: boolean;
  readonly #newTypes: number[] = [];
  readonly #newStrings: number[] = [];
  #typeCount: number;

  constructor(btf: Btf) {
    this.#btf = btf;
    this.#bytes = btf.bytes.slice();
    this.#view = new DataView(this.#bytes.buffer);
    this.#isLittleEndian = btf.byteOrder === 'little-endian';
    this.#typeCount = btf.typeCount;
  }

  /** Sets the word of a type's header that the kernel calls `size` or `type`, by kind. */
  setSizeOrType(typeId: number, value: number): void {
    this.#set(typeId, 8, value);
  }

  setFunctionLinkage(typeId: number, linkage: number): void {
    const at = this.#btf.byteOffsetOf(typeId) + 4;
    const info = this.#view.getUint32(at, this.#isLittleEndian);
    this.#view.setUint32(at, ((info & ~LINKAGE_BITS) | linkage) >>> 0, this.#isLittleEndian);
  }

  setVariableLinkage(typeId: number, linkage: number): void {
    this.#set(typeId, TYPE_HEADER_BYTES, linkage);
  }

  /** Entry of a data section: `struct btf_var_secinfo`. */
  setSectionVariable(
    typeId: number,
    index: number,
    variable: { readonly typeId: number; readonly byteOffset: number; readonly byteSize: number },
  ): void {
    const at = TYPE_HEADER_BYTES + index * 12;
    this.#set(typeId, at, variable.typeId);
    this.#set(typeId, at + 4, variable.byteOffset);
    this.#set(typeId, at + 8, variable.byteSize);
  }

  /** Name of a parameter of a function prototype: `struct btf_param`. */
  setParameterName(typeId: number, index: number, stringOffset: number): void {
    this.#set(typeId, TYPE_HEADER_BYTES + index * 8, stringOffset);
  }

  /** @returns its offset among the strings */
  addString(text: string): number {
    const found = this.#btf.findString(text);
    if (found !== undefined) return found;
    const offset = this.#btf.stringsEnd + this.#newStrings.length;
    // One at a time: a call takes no more arguments than the stack holds, and a name may be longer.
    for (const byte of UTF8.encode(text)) this.#newStrings.push(byte);
    this.#newStrings.push(0);
    return offset;
  }

  /** @param words the record as it stands in the type section @returns its id */
  addType(words: readonly number[]): number {
    for (const word of words) this.#newTypes.push(word);
    return this.#typeCount++;
  }

  finish(): Btf {
    if (this.#newTypes.length === 0 && this.#newStrings.length === 0) {
      return new Btf(this.#bytes, this.#btf.label);
    }
    const word = (at: number) => this.#view.getUint32(at, this.#isLittleEndian);
    const typesEnd = word(HEADER_LENGTH_AT) + word(TYPE_BYTES_AT);
    const addedTypeBytes = this.#newTypes.length * 4;
    const out = new Uint8Array(this.#bytes.byteLength + addedTypeBytes + this.#newStrings.length);
    out.set(this.#bytes.subarray(0, typesEnd));
    const view = new DataView(out.buffer);
    for (const [index, value] of this.#newTypes.entries()) {
      view.setUint32(typesEnd + index * 4, value, this.#isLittleEndian);
    }
    out.set(this.#bytes.subarray(typesEnd), typesEnd + addedTypeBytes);
    out.set(this.#newStrings, this.#bytes.byteLength + addedTypeBytes);
    const grow = (at: number, byteSize: number) =>
      view.setUint32(at, word(at) + byteSize, this.#isLittleEndian);
    grow(TYPE_BYTES_AT, addedTypeBytes);
    grow(STRING_OFFSET_AT, addedTypeBytes);
    grow(STRING_BYTES_AT, this.#newStrings.length);
    return new Btf(out, this.#btf.label);
  }

  #set(typeId: number, byteOffset: number, value: number): void {
    this.#view.setUint32(this.#btf.byteOffsetOf(typeId) + byteOffset, value, this.#isLittleEndian);
  }
}

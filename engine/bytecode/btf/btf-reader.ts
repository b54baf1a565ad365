import { VespidError } from '../../errors/index.js';
import { ByteReader } from '../byte-reader.js';
import {
  BTF_HEADER_BYTES,
  BTF_KIND,
  BTF_KIND_NAMES,
  BTF_MAGIC,
  BTF_VERSION,
  MAX_STRING_OFFSET,
  MAX_TYPE_ID,
  TYPE_HEADER_BYTES,
  trailingBytes,
} from './btf-format.js';
import { BtfNameIndex } from './btf-name-index.js';
import type { BtfKind, BtfType } from './btf-type.js';
import { decodeType } from './btf-type-decoder.js';

/** Bits of `btf_type.info` that no kind uses: 16 to 23, 29 and 30. */
const RESERVED_INFO_BITS = 0x60ff_0000;

/**
 * A read-only view of one BTF blob. Opening it is one pass that notes where each type begins; a type becomes
 * an object only when it is asked for, and the index of names is built at the first search: the kernel's own
 * BTF has over 100,000 types of which a program needs twenty.
 */
export class Btf {
  readonly label: string;
  /** The whole blob, as BPF_BTF_LOAD takes it. */
  readonly bytes: Uint8Array;
  readonly #types: ByteReader;
  readonly #strings: ByteReader;
  /** By type id, in the type section and in the strings; entry 0 stands for void. */
  readonly #index: TypeIndex;
  readonly #decoded = new Map<number, BtfType>();
  #nameIndex: BtfNameIndex | undefined;

  /**
   * @throws VespidError BTF_MALFORMED if header, kinds or lengths break the format. What types say of one
   * another is checked when a type is asked for.
   */
  constructor(bytes: Uint8Array, label: string) {
    this.label = label;
    this.bytes = bytes;
    const { types, strings } = splitSections(new ByteReader(bytes, label));
    this.#types = types;
    this.#strings = strings;
    this.#index = indexTypes(types, label);
  }

  /** Number of type ids, void included: the valid ones are 0 to this, exclusive. */
  get typeCount(): number {
    return this.#index.offsets.length;
  }

  kindOf(typeId: number): BtfKind {
    const kind = BTF_KIND_NAMES[this.#kindNumber(typeId)];
    if (kind === undefined) throw malformed(this.label, `type ${typeId} is of no known kind`);
    return kind;
  }

  /** The name, `''` for an anonymous type. */
  nameOf(typeId: number): string {
    return typeId === 0 ? 'void' : this.string(this.#types.u32(this.#offsetOf(typeId)));
  }

  /** @throws VespidError BTF_MALFORMED if there is no such type, or it is not well-formed */
  type(typeId: number): BtfType {
    const cached = this.#decoded.get(typeId);
    if (cached !== undefined) return cached;
    const decoded: BtfType =
      typeId === 0
        ? { kind: 'void' }
        : decodeType(this.#types, this.#offsetOf(typeId), this.kindOf(typeId), (at) => this.string(at));
    this.#decoded.set(typeId, decoded);
    return decoded;
  }

  /** Ids, ascending, of the types of that name, and of that kind if one is given. */
  idsByName(name: string, kind?: BtfKind): number[] {
    return this.idsByEssentialName(name).filter(
      (typeId) => this.nameOf(typeId) === name && (kind === undefined || this.kindOf(typeId) === kind),
    );
  }

  /** Ids, ascending, of the types whose name without its CO-RE flavour (`___x`) is that of `name`. */
  idsByEssentialName(name: string): number[] {
    this.#nameIndex ??= new BtfNameIndex(this.#strings.bytes, this.#index.nameOffsets);
    return this.#nameIndex.search(name);
  }

  string(byteOffset: number): string {
    if (byteOffset === 0) return '';
    if (byteOffset >= this.#strings.byteLength) {
      throw malformed(this.label, `string at ${byteOffset} of ${this.#strings.byteLength} bytes`);
    }
    return this.#strings.cString(byteOffset);
  }

  /** Where the type's record begins in {@link Btf.bytes}. */
  byteOffsetOf(typeId: number): number {
    return this.#types.bytes.byteOffset - this.bytes.byteOffset + this.#offsetOf(typeId);
  }

  #kindNumber(typeId: number): number {
    return typeId === 0 ? BTF_KIND.void : (this.#types.u32(this.#offsetOf(typeId) + 4) >>> 24) & 0x1f;
  }

  #offsetOf(typeId: number): number {
    const offset = this.#index.offsets[typeId];
    if (offset !== undefined && typeId !== 0) return offset;
    throw malformed(this.label, `type ${typeId} of ${this.typeCount - 1}`);
  }
}

/** Checks as the kernel does (btf_parse_hdr, btf_check_sec_info): the two sections, nothing between or after. */
function splitSections(reader: ByteReader): { types: ByteReader; strings: ByteReader } {
  const { label } = reader;
  if (reader.byteLength < BTF_HEADER_BYTES || reader.u16(0) !== BTF_MAGIC) {
    throw malformed(label, `does not begin with the BTF magic 0x${BTF_MAGIC.toString(16)}`);
  }
  if (reader.u8(2) !== BTF_VERSION || reader.u8(3) !== 0) {
    throw malformed(label, `version 1 without flags expected, got ${reader.u8(2)} and flags ${reader.u8(3)}`);
  }
  const headerBytes = reader.u32(4);
  if (headerBytes < BTF_HEADER_BYTES || headerBytes % 4 !== 0) {
    throw malformed(label, `header of ${headerBytes} bytes`);
  }
  if (reader.slice(BTF_HEADER_BYTES, headerBytes - BTF_HEADER_BYTES).some((byte) => byte !== 0)) {
    throw malformed(label, `header of ${headerBytes} bytes with fields that are not known`);
  }
  const typeBytes = reader.u32(12);
  const stringOffset = reader.u32(16);
  const stringBytes = reader.u32(20);
  if (reader.u32(8) !== 0 || typeBytes % 4 !== 0 || stringOffset !== typeBytes) {
    throw malformed(label, `types at ${reader.u32(8)} (${typeBytes} bytes), strings at ${stringOffset}`);
  }
  if (headerBytes + typeBytes + stringBytes !== reader.byteLength) {
    const described = headerBytes + typeBytes + stringBytes;
    throw malformed(label, `header describes ${described} bytes, but there are ${reader.byteLength}`);
  }
  const types = reader.part(headerBytes, typeBytes, `${label}: types`);
  const strings = reader.part(headerBytes + stringOffset, stringBytes, `${label}: strings`);
  const isTerminated = strings.byteLength > 0 && strings.u8(0) === 0 && strings.u8(stringBytes - 1) === 0;
  if (!isTerminated || stringBytes > MAX_STRING_OFFSET) {
    throw malformed(label, 'strings must begin and end with NUL and fit into 16 MB');
  }
  return { types, strings };
}

/** Where each type begins and where its name is, by id. */
interface TypeIndex {
  readonly offsets: Uint32Array;
  readonly nameOffsets: Uint32Array;
}

/**
 * One pass over the types. The only hot loop of opening a BTF: it makes no objects, and reads through a view
 * of its own, whose bounds it has checked once for each record.
 */
function indexTypes(types: ByteReader, label: string): TypeIndex {
  const { bytes, byteLength: end } = types;
  const view = new DataView(bytes.buffer, bytes.byteOffset, end);
  const capacity = Math.floor(end / TYPE_HEADER_BYTES) + 1;
  const offsets = new Uint32Array(capacity);
  const nameOffsets = new Uint32Array(capacity);
  let count = 1;
  let at = 0;
  while (at + TYPE_HEADER_BYTES <= end) {
    const info = view.getUint32(at + 4, true);
    const kind = (info >>> 24) & 0x1f;
    if (kind === BTF_KIND.void || kind > BTF_KIND.enum64 || (info & RESERVED_INFO_BITS) !== 0) {
      throw malformed(label, `type ${count} has info 0x${info.toString(16)}: no known kind`);
    }
    offsets[count] = at;
    nameOffsets[count] = view.getUint32(at, true);
    count++;
    at += TYPE_HEADER_BYTES + trailingBytes(kind, info & 0xffff);
  }
  if (at !== end) throw malformed(label, `type ${count - 1} does not end where the types end, at ${end}`);
  if (count - 1 > MAX_TYPE_ID) throw malformed(label, `${count - 1} types, limit ${MAX_TYPE_ID}`);
  return { offsets: offsets.slice(0, count), nameOffsets: nameOffsets.slice(0, count) };
}

function malformed(label: string, message: string): VespidError {
  return new VespidError('BTF_MALFORMED', `${label}: ${message}`, {
    hint: 'the type information is damaged, or newer than what Vespid reads',
  });
}

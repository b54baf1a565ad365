import { VespidError } from '../../errors/index.js';
import { type ByteOrder, type ByteReader, plainBytes } from '../byte-reader.js';
import { BTF_KIND, BTF_KIND_NAMES } from './btf-format.js';
import { splitSections } from './btf-header.js';
import { BtfNameIndex, type NameGroup, nameGroupOf } from './btf-name-index.js';
import { BtfStrings } from './btf-strings.js';
import type { BtfKind, BtfType } from './btf-type.js';
import { decodeType } from './btf-type-decoder.js';
import { type BtfTypeIndex, indexTypes } from './btf-type-index.js';

/**
 * A read-only view of one BTF blob. Opening it is one pass that notes where each type begins; a type becomes
 * an object only when it is asked for, and the index of names is built at the first search: the kernel's own
 * BTF has over 100,000 types of which a program needs twenty.
 *
 * A split BTF (a kernel module's: /sys/kernel/btf/NAME) continues a base, the kernel's: its type ids and
 * string offsets begin where the base's end, and all of the base's are valid in it as well. A module's file has
 * its BTF split over a reduced copy of the base (.BTF.base, Linux 6.12), which is a base like any other here; the
 * one in /sys is over vmlinux.
 */
export class Btf {
  readonly label: string;
  /** The whole blob, without its base, as BPF_BTF_LOAD takes it if it is of the machine's byte order. */
  readonly bytes: Uint8Array;
  readonly byteOrder: ByteOrder;
  readonly base: Btf | undefined;
  /** Id of the first type that is in this blob and not in its base. */
  readonly firstTypeId: number;
  readonly #types: ByteReader;
  readonly #strings: BtfStrings;
  readonly #index: BtfTypeIndex;
  readonly #decoded = new Map<number, BtfType>();
  readonly #nameIndexes = new Map<NameGroup, BtfNameIndex>();

  /**
   * @param bytes of either byte order, which the magic tells
   * @param base what a split BTF continues
   * @throws VespidError BTF_MALFORMED if header, kinds or lengths break the format. What types say of one
   * another is checked when a type is asked for.
   */
  constructor(bytes: Uint8Array, label: string, base?: Btf) {
    this.label = label;
    this.bytes = plainBytes(bytes);
    this.base = base;
    this.firstTypeId = base?.typeCount ?? 1;
    const { types, strings } = splitSections(bytes, label, base !== undefined);
    this.byteOrder = types.byteOrder;
    this.#types = types;
    this.#strings = new BtfStrings(strings, label, base === undefined ? undefined : base.#strings);
    this.#index = indexTypes(types, label, this.firstTypeId);
  }

  /** Number of type ids, those of void and of the base included: the valid ones are 0 to this, exclusive. */
  get typeCount(): number {
    return this.firstTypeId + this.#index.places.length;
  }

  kindOf(typeId: number): BtfKind {
    if (typeId === 0) return 'void';
    const owner = this.#ownerOf(typeId);
    const kind = BTF_KIND_NAMES[owner.#index.kinds[typeId - owner.firstTypeId] ?? -1];
    if (kind !== undefined) return kind;
    throw malformed(this.label, `type ${typeId} of ${this.typeCount - 1}`);
  }

  /** The name, `''` for an anonymous type. */
  nameOf(typeId: number): string {
    if (typeId === 0) return 'void';
    const owner = this.#ownerOf(typeId);
    return owner.string(owner.#nameOffsetOf(typeId));
  }

  /** @throws VespidError BTF_MALFORMED if there is no such type, or it is not well-formed */
  type(typeId: number): BtfType {
    const owner = this.#ownerOf(typeId);
    const cached = owner.#decoded.get(typeId);
    if (cached !== undefined) return cached;
    const decoded: BtfType =
      typeId === 0
        ? { kind: 'void' }
        : decodeType(owner.#types, owner.#placeOf(typeId), owner.kindOf(typeId), (at) => owner.string(at));
    owner.#decoded.set(typeId, decoded);
    return decoded;
  }

  /** Ids, ascending, of the types of that name, and of that kind if one is given; not those of the base. */
  idsByName(name: string, kind?: BtfKind): number[] {
    return this.idsByEssentialName(name, kind).filter(
      (typeId) => this.nameOf(typeId) === name && (kind === undefined || this.kindOf(typeId) === kind),
    );
  }

  /**
   * Ids, ascending, of the types whose name without its CO-RE flavour (`___x`) is that of `name`; not those
   * of the base.
   * @param kind leaves out, for speed, some that cannot be of this kind
   */
  idsByEssentialName(name: string, kind?: BtfKind): number[] {
    if (kind !== undefined) return this.#namesOf(nameGroupOf(kind)).search(name);
    const found = [...this.#namesOf('others').search(name), ...this.#namesOf('functions').search(name)];
    return found.sort((a, b) => a - b);
  }

  /** Ids, ascending, of the types of that kind; not those of the base. */
  *idsOfKind(kind: BtfKind): Generator<number> {
    const { kinds } = this.#index;
    for (
      let index = kinds.indexOf(BTF_KIND[kind]);
      index !== -1;
      index = kinds.indexOf(BTF_KIND[kind], index + 1)
    ) {
      yield this.firstTypeId + index;
    }
  }

  #namesOf(group: NameGroup): BtfNameIndex {
    const known = this.#nameIndexes.get(group);
    if (known !== undefined) return known;
    const made = new BtfNameIndex(this.#strings, this.#index, this.firstTypeId, group);
    this.#nameIndexes.set(group, made);
    return made;
  }

  /** @throws VespidError BTF_MALFORMED if there is no such offset */
  string(byteOffset: number): string {
    return this.#strings.at(byteOffset);
  }

  /** Offset of a string, which .BTF.ext and split BTF refer to; undefined if it is not among the strings. */
  findString(text: string): number | undefined {
    return this.#strings.find(text);
  }

  /** The string section of the blob, which ends with NUL unless it is empty. */
  get ownStrings(): Uint8Array {
    return this.#strings.bytes;
  }

  /** Offset after the last string: where the strings of a split BTF of this one begin. */
  get stringsEnd(): number {
    return this.#strings.end;
  }

  /** Where the record of a type that is not the base's begins in {@link Btf.bytes}. */
  byteOffsetOf(typeId: number): number {
    return this.#types.bytes.byteOffset - this.bytes.byteOffset + this.#placeOf(typeId);
  }

  /** The BTF whose blob holds the type: this or, for a split BTF, one that it continues. */
  #ownerOf(typeId: number): Btf {
    return this.base === undefined || typeId >= this.firstTypeId ? this : this.base.#ownerOf(typeId);
  }

  #nameOffsetOf(typeId: number): number {
    const nameOffset = this.#index.nameOffsets[typeId - this.firstTypeId];
    if (nameOffset !== undefined) return nameOffset;
    throw malformed(this.label, `type ${typeId} of ${this.typeCount - 1}`);
  }

  #placeOf(typeId: number): number {
    const place = this.#index.places[typeId - this.firstTypeId];
    if (place !== undefined) return place;
    throw malformed(this.label, `type ${typeId} of ${this.typeCount - 1}`);
  }
}

function malformed(label: string, message: string): VespidError {
  return new VespidError('BTF_MALFORMED', `${label}: ${message}`, {
    hint: 'the type information is damaged, or newer than what Vespid reads',
  });
}

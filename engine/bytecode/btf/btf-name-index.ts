import { BTF_KIND } from './btf-format.js';
import type { BtfStrings } from './btf-strings.js';
import type { BtfKind } from './btf-type.js';
import type { BtfTypeIndex } from './btf-type-index.js';
import { essentialLength } from './essential-name.js';

const UTF8 = new TextEncoder();
const UNDERSCORE = 0x5f;
const FNV_OFFSET_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
/** Enough to tell most names apart; reading every name to its end made building the index four times as slow. */
const HASHED_BYTES = 8;

/**
 * Types whose names are looked for together. Half of the names of a kernel are those of its functions, which CO-RE
 * never asks for and attaching to a function does.
 */
export type NameGroup = 'functions' | 'others';

export function nameGroupOf(kind: BtfKind): NameGroup {
  return kind === 'function' ? 'functions' : 'others';
}

/**
 * Type ids of one group by essential name: a hash table with chains in two typed arrays. Names are compared as bytes in
 * the string section, so that building the index of a kernel's BTF makes no JavaScript strings.
 */
export class BtfNameIndex {
  readonly #strings: BtfStrings;
  readonly #nameOffsets: Uint32Array;
  readonly #firstTypeId: number;
  /** First entry of each bucket. An entry is a type's place in the list of names plus 1, so that 0 is none. */
  readonly #heads: Uint32Array;
  /** The next entry of the same bucket, by entry. */
  readonly #next: Uint32Array;

  /** @param index of the types from `firstTypeId` on, whose names are in `strings` */
  constructor(strings: BtfStrings, index: BtfTypeIndex, firstTypeId: number, group: NameGroup) {
    const { nameOffsets, kinds } = index;
    const typeCount = nameOffsets.length;
    const wantsFunctions = group === 'functions';
    this.#strings = strings;
    this.#nameOffsets = nameOffsets;
    this.#firstTypeId = firstTypeId;
    const heads = new Uint32Array(2 ** Math.max(4, Math.ceil(Math.log2(typeCount + 1))));
    const next = new Uint32Array(typeCount + 1);
    // Downwards, so that each chain lists its types in ascending order.
    for (let entry = typeCount; entry > 0; entry--) {
      const nameOffset = nameOffsets[entry - 1] ?? 0;
      if (nameOffset === 0 || (kinds[entry - 1] === BTF_KIND.function) !== wantsFunctions) continue;
      const section = nameOffset < strings.start ? strings.sectionOf(nameOffset) : strings;
      if (section === undefined) continue;
      const bucket = hashOfStart(section.bytes, nameOffset - section.start) & (heads.length - 1);
      next[entry] = heads[bucket] ?? 0;
      heads[bucket] = entry;
    }
    this.#heads = heads;
    this.#next = next;
  }

  /** Ids, ascending, of the types whose essential name is that of `name`. */
  search(name: string): number[] {
    const wanted = UTF8.encode(name);
    const wantedLength = essentialLength(wanted, 0);
    const found: number[] = [];
    if (wantedLength === 0) return found;
    const bucket = hashOfStart(wanted, 0) & (this.#heads.length - 1);
    for (let entry = this.#heads[bucket] ?? 0; entry !== 0; entry = this.#next[entry] ?? 0) {
      const nameOffset = this.#nameOffsets[entry - 1] ?? 0;
      const section = this.#strings.sectionOf(nameOffset);
      if (section === undefined) continue;
      const start = nameOffset - section.start;
      if (!startsWith(section.bytes, start, wanted, wantedLength)) continue;
      if (essentialLength(section.bytes, start) === wantedLength) found.push(this.#firstTypeId + entry - 1);
    }
    return found;
  }
}

/**
 * FNV-1a over the first bytes of a name, up to the first `___` in it: there at the latest its essential part
 * ends, so that all flavours of a name have one hash.
 */
function hashOfStart(bytes: Uint8Array, start: number): number {
  let hash = FNV_OFFSET_BASIS;
  for (let at = start; at < start + HASHED_BYTES; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === 0) break;
    const isSeparator = byte === UNDERSCORE && bytes[at + 1] === UNDERSCORE && bytes[at + 2] === UNDERSCORE;
    if (isSeparator && at > start) break;
    hash = Math.imul(hash ^ byte, FNV_PRIME);
  }
  return hash ^ (hash >>> 15);
}

function startsWith(bytes: Uint8Array, start: number, wanted: Uint8Array, length: number): boolean {
  for (let at = 0; at < length; at++) if (bytes[start + at] !== wanted[at]) return false;
  return true;
}

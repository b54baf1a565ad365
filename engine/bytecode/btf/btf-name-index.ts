import { essentialLength } from './essential-name.js';

const UTF8 = new TextEncoder();
const UNDERSCORE = 0x5f;
const FNV_OFFSET_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
/** Enough to tell most names apart; reading every name to its end made building the index four times as slow. */
const HASHED_BYTES = 8;

/**
 * Type ids by essential name: a hash table with chains in two typed arrays. Names are compared as bytes in
 * the string section, so that building the index of a kernel's BTF makes no JavaScript strings.
 */
export class BtfNameIndex {
  readonly #strings: Uint8Array;
  readonly #nameOffsets: Uint32Array;
  /** First type id of each bucket; 0 is none, for void has no name. */
  readonly #heads: Uint32Array;
  readonly #next: Uint32Array;

  /** @param nameOffsets offset into `strings` of each type's name, by type id */
  constructor(strings: Uint8Array, nameOffsets: Uint32Array) {
    const typeCount = nameOffsets.length;
    this.#strings = strings;
    this.#nameOffsets = nameOffsets;
    const heads = new Uint32Array(2 ** Math.max(4, Math.ceil(Math.log2(typeCount))));
    const next = new Uint32Array(typeCount);
    // Downwards, so that each chain lists its ids in ascending order.
    for (let typeId = typeCount - 1; typeId > 0; typeId--) {
      const start = nameOffsets[typeId] ?? 0;
      if (start === 0 || start >= strings.byteLength) continue;
      const bucket = hashOfStart(strings, start) & (heads.length - 1);
      next[typeId] = heads[bucket] ?? 0;
      heads[bucket] = typeId;
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
    for (let typeId = this.#heads[bucket] ?? 0; typeId !== 0; typeId = this.#next[typeId] ?? 0) {
      const start = this.#nameOffsets[typeId] ?? 0;
      if (!startsWith(this.#strings, start, wanted, wantedLength)) continue;
      if (essentialLength(this.#strings, start) === wantedLength) found.push(typeId);
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

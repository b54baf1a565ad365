import { VespidError } from '../../errors/index.js';
import type { ByteReader } from '../byte-reader.js';

/**
 * Characters of all names that are decoded of one section of strings; real objects have some hundred thousand.
 * Without a limit, offsets into one long string, each of which is a name to its end, would make terabytes of a
 * file of some megabytes.
 */
export const MAX_NAME_CHARACTERS = 16 * 1024 * 1024;

/** The names of sections or symbols, each decoded once. */
export class ElfNames {
  readonly #strings: ByteReader;
  readonly #decoded = new Map<number, string>();
  #characters = 0;

  constructor(strings: ByteReader) {
    this.#strings = strings;
  }

  /** @throws VespidError BYTES_OUT_OF_RANGE, ELF_MALFORMED if names overlap beyond all measure */
  at(byteOffset: number): string {
    // A file without names may have no strings at all.
    if (byteOffset === 0 && this.#strings.byteLength === 0) return '';
    const known = this.#decoded.get(byteOffset);
    if (known !== undefined) return known;
    const name = this.#strings.cString(byteOffset);
    this.#characters += name.length;
    if (this.#characters > MAX_NAME_CHARACTERS) {
      throw new VespidError(
        'ELF_MALFORMED',
        `${this.#strings.label}: names of over ${MAX_NAME_CHARACTERS} characters`,
        { hint: 'names that overlap in one long string: no compiler writes this' },
      );
    }
    this.#decoded.set(byteOffset, name);
    return name;
  }
}

import { VespidError } from '../../errors/index.js';
import type { ByteReader } from '../byte-reader.js';

const UTF8 = new TextEncoder();

/**
 * Characters of all strings that are decoded of one section. A kernel has 3 million. Without a limit, offsets
 * into one long string, each of which is a string to its end, would make terabytes of a file of some megabytes.
 */
const MAX_DECODED_CHARACTERS = 64 * 1024 * 1024;

/**
 * The strings that offsets of one BTF lead to: its own section and, for a split BTF, before it those of the
 * BTF that it continues.
 */
export class BtfStrings {
  readonly bytes: Uint8Array;
  /** Offset of the section's first byte: 0, or where the base's strings end. */
  readonly start: number;
  readonly #section: ByteReader;
  readonly #base: BtfStrings | undefined;
  readonly #label: string;
  readonly #decoded = new Map<number, string>();
  #decodedCharacters = 0;

  constructor(section: ByteReader, label: string, base: BtfStrings | undefined) {
    this.bytes = section.bytes;
    this.start = base?.end ?? 0;
    this.#section = section;
    this.#base = base;
    this.#label = label;
  }

  /** Offset after the last byte. */
  get end(): number {
    return this.start + this.bytes.byteLength;
  }

  /** @throws VespidError BTF_MALFORMED if there is no such offset, or the strings overlap beyond all measure */
  at(byteOffset: number): string {
    if (byteOffset === 0) return '';
    const section = this.sectionOf(byteOffset);
    if (section !== undefined) return section.#decode(byteOffset);
    throw new VespidError('BTF_MALFORMED', `${this.#label}: string at ${byteOffset} of ${this.end} bytes`);
  }

  /** Each string once: members and line records name the same few many times. */
  #decode(byteOffset: number): string {
    const known = this.#decoded.get(byteOffset);
    if (known !== undefined) return known;
    const text = this.#section.cString(byteOffset - this.start);
    this.#decodedCharacters += text.length;
    if (this.#decodedCharacters > MAX_DECODED_CHARACTERS) {
      const message = `strings of over ${MAX_DECODED_CHARACTERS} characters in ${this.bytes.byteLength} bytes`;
      throw new VespidError('BTF_MALFORMED', `${this.#label}: ${message}`);
    }
    this.#decoded.set(byteOffset, text);
    return text;
  }

  /** An offset of exactly that string, which may be the end of a longer one; undefined if there is none. */
  find(text: string): number | undefined {
    if (text === '') return 0;
    const wanted = UTF8.encode(`${text}\0`);
    const [first = 0] = wanted;
    for (let at = this.bytes.indexOf(first); at !== -1; at = this.bytes.indexOf(first, at + 1)) {
      if (wanted.every((byte, index) => this.bytes[at + index] === byte)) return this.start + at;
    }
    return this.#base?.find(text);
  }

  /** The section that holds an offset, undefined if none does. */
  sectionOf(byteOffset: number): BtfStrings | undefined {
    if (byteOffset >= this.end) return undefined;
    return byteOffset >= this.start ? this : this.#base?.sectionOf(byteOffset);
  }
}

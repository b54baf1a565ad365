import { VespidError } from '../../engine/errors/index.js';
import type { JsonValue } from './canonical-json.js';

/** Deepest nesting accepted. Ours need eight; without a bound `[[[[...` exhausts the stack of a recursive reader. */
export const MAX_JSON_DEPTH = 32;
/** Largest document accepted: a statement over a thousand programs is below 1 MiB, and base64 adds a third. */
export const MAX_JSON_BYTES = 4 * 1024 * 1024;
/** Digits of 2^53 - 1, the largest integer that every JSON implementation reads the same way (RFC 8259, 6). */
const MAX_INTEGER_DIGITS = 16;

/**
 * Reads JSON (RFC 8259) as untrusted bytes, without the freedoms in which two readers could differ: UTF-8
 * only and no byte order mark, no repeated member names, safe integers only, no lone surrogates, bounded size
 * and depth, nothing after the value. Objects have no prototype, so that no member name means anything special.
 *
 * @param where names the document in messages
 * @throws VespidError BUNDLE_JSON_MALFORMED, BUNDLE_JSON_DUPLICATE_KEY, BUNDLE_JSON_LIMIT
 */
export function parseStrictJson(bytes: Uint8Array, where: string): JsonValue {
  if (bytes.length > MAX_JSON_BYTES) {
    throw new VespidError(
      'BUNDLE_JSON_LIMIT',
      `${where}: expected at most ${MAX_JSON_BYTES} bytes of JSON, found ${bytes.length}`,
      { hint: 'sign fewer policies and objects in one bundle' },
    );
  }
  return new StrictJsonReader(decodeUtf8(bytes, where), where).readDocument();
}

function decodeUtf8(bytes: Uint8Array, where: string): string {
  try {
    // ignoreBOM keeps a byte order mark in the text, where the reader then refuses it.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new VespidError('BUNDLE_JSON_MALFORMED', `${where}: expected UTF-8, found other bytes`, {
      hint: 'fetch the bundle again: this file was damaged or altered',
      cause,
    });
  }
}

/** A recursive-descent reader over text; `offset` counts UTF-16 units. */
class StrictJsonReader {
  readonly #text: string;
  readonly #where: string;
  #offset = 0;

  constructor(text: string, where: string) {
    this.#text = text;
    this.#where = where;
  }

  readDocument(): JsonValue {
    this.#skipWhitespace();
    const value = this.#readValue(0);
    this.#skipWhitespace();
    if (this.#offset !== this.#text.length) throw this.#malformed('the end of the document');
    return value;
  }

  #readValue(depth: number): JsonValue {
    if (depth > MAX_JSON_DEPTH) {
      throw new VespidError(
        'BUNDLE_JSON_LIMIT',
        `${this.#where}: expected at most ${MAX_JSON_DEPTH} levels of nesting, found more at offset ${this.#offset}`,
        { hint: 'no document of a bundle nests this deep; do not use this bundle' },
      );
    }
    switch (this.#text[this.#offset]) {
      case '{':
        return this.#readObject(depth);
      case '[':
        return this.#readArray(depth);
      case '"':
        return this.#readString();
      case 't':
        return this.#readWord('true', true);
      case 'f':
        return this.#readWord('false', false);
      case 'n':
        return this.#readWord('null', null);
      default:
        return this.#readInteger();
    }
  }

  #readObject(depth: number): JsonValue {
    // Object.create returns any; without a prototype `__proto__` and `constructor` are names like any other.
    const object: Record<string, JsonValue> = Object.create(null);
    this.#readItems('}', () => {
      const keyOffset = this.#offset;
      const key = this.#readString();
      if (key in object) {
        throw new VespidError(
          'BUNDLE_JSON_DUPLICATE_KEY',
          `${this.#where}: expected each member once, found ${JSON.stringify(key)} again at offset ${keyOffset}`,
          { hint: 'readers differ in which of the two they take; do not use this bundle' },
        );
      }
      this.#skipWhitespace();
      this.#take(':');
      this.#skipWhitespace();
      object[key] = this.#readValue(depth + 1);
    });
    return object;
  }

  #readArray(depth: number): JsonValue {
    const items: JsonValue[] = [];
    this.#readItems(']', () => {
      items.push(this.#readValue(depth + 1));
    });
    return items;
  }

  /** The part that objects and arrays share: an opening bracket, items between commas, `close`. */
  #readItems(close: '}' | ']', readItem: () => void): void {
    this.#offset++;
    this.#skipWhitespace();
    if (this.#text[this.#offset] === close) {
      this.#offset++;
      return;
    }
    for (;;) {
      readItem();
      this.#skipWhitespace();
      if (this.#text[this.#offset] !== ',') break;
      this.#offset++;
      this.#skipWhitespace();
    }
    this.#take(close);
  }

  #readString(): string {
    const start = this.#offset;
    this.#take('"');
    let isEscaped = false;
    for (;;) {
      const unit = this.#text.charCodeAt(this.#offset);
      // NaN past the end; RFC 8259 section 7 wants control characters escaped.
      if (!(unit >= 0x20)) throw this.#malformed('the rest of a string');
      if (unit === 0x22) break;
      isEscaped ||= unit === 0x5c;
      this.#offset += unit === 0x5c ? 2 : 1;
    }
    this.#offset++;
    // UTF-8 holds no lone surrogates, so only an escape could have made one.
    return isEscaped ? this.#unescape(start) : this.#text.slice(start + 1, this.#offset - 1);
  }

  #unescape(start: number): string {
    let value: unknown;
    try {
      // The slice is one string token, so this only resolves its escapes.
      value = JSON.parse(this.#text.slice(start, this.#offset));
    } catch {
      value = undefined;
    }
    if (typeof value === 'string' && !/\p{Surrogate}/u.test(value)) return value;
    this.#offset = start;
    throw this.#malformed('a string with valid escapes');
  }

  #readInteger(): number {
    const pattern = /-?(?:0|[1-9][0-9]*)(?![0-9.eE])/y;
    pattern.lastIndex = this.#offset;
    const digits = pattern.exec(this.#text)?.[0] ?? '';
    const value = Number(digits);
    const exact = digits !== '-0' && digits.length <= MAX_INTEGER_DIGITS + 1 && Number.isSafeInteger(value);
    if (digits === '' || !exact) throw this.#malformed('a value (numbers are integers below 2^53)');
    this.#offset += digits.length;
    return value;
  }

  #readWord<T extends boolean | null>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#offset)) throw this.#malformed(word);
    this.#offset += word.length;
    return value;
  }

  #take(character: string): void {
    if (this.#text[this.#offset] !== character) throw this.#malformed(JSON.stringify(character));
    this.#offset++;
  }

  #skipWhitespace(): void {
    while (' \t\n\r'.includes(this.#text[this.#offset] ?? 'end')) this.#offset++;
  }

  #malformed(expected: string): VespidError {
    const found = this.#text[this.#offset];
    return new VespidError(
      'BUNDLE_JSON_MALFORMED',
      `${this.#where}: expected ${expected} at offset ${this.#offset}, found ${found === undefined ? 'the end' : JSON.stringify(found)}`,
      { hint: 'fetch the bundle again: this file was damaged or altered' },
    );
  }
}

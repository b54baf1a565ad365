/** Why bytes are not the DER that was expected; readers of key files and certificates turn it into a typed error. */
export class DerFault extends Error {}

/** Universal tags of X.690 section 8, as their one identifier byte. */
export const DER_TAG = {
  boolean: 0x01,
  integer: 0x02,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
} as const;

export type DerTagName = keyof typeof DER_TAG;

/** One element of any kind. */
export interface DerElement {
  /** The identifier byte: class, constructed bit and a tag number below 31. */
  readonly tag: number;
  readonly content: Uint8Array;
}

/** Tag numbers from 31 on are written in further bytes; nothing that we read has one. */
const LONG_TAG = 0x1f;
/** A length of more bytes than this would be longer than any key file or certificate. */
const MAX_LENGTH_BYTES = 3;
/** Integers of key files are counts; 2^47 is beyond every limit that they are held to. */
const MAX_INTEGER_BYTES = 6;

/** Reads DER (X.690 section 10): definite lengths in their shortest form, and nothing after the last element. */
export class DerReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  /** True when an element of this kind comes next. */
  nextIs(kind: DerTagName): boolean {
    return this.#bytes[this.#offset] === DER_TAG[kind];
  }

  /** The content of a SEQUENCE. @throws DerFault */
  sequence(): DerReader {
    return new DerReader(this.#content('sequence'));
  }

  /** @throws DerFault */
  octetString(): Uint8Array {
    return this.#content('octetString');
  }

  /** The bytes of a UTF8String. @throws DerFault */
  utf8String(): Uint8Array {
    return this.#content('utf8String');
  }

  /** @throws DerFault */
  null(): void {
    if (this.#content('null').length !== 0) throw new DerFault('a NULL with content');
  }

  /** A non-negative INTEGER below 2^47. @throws DerFault */
  integer(): number {
    const content = this.#content('integer');
    const [first = 0x80, second = 0x80] = content;
    // X.690 section 8.3.2: the first nine bits are not all equal.
    const isPadded = content.length > 1 && first === 0 && second < 0x80;
    if (first >= 0x80 || isPadded) throw new DerFault('an integer that is negative, empty or padded');
    if (content.length > MAX_INTEGER_BYTES) throw new DerFault(`an integer of ${content.length} bytes`);
    return content.reduce((value, byte) => value * 0x100 + byte, 0);
  }

  /** An OBJECT IDENTIFIER in dotted form (X.690 section 8.19). @throws DerFault */
  objectIdentifier(): string {
    const arcs: number[] = [];
    let arc = 0;
    let isOpen = true;
    for (const byte of this.#content('objectIdentifier')) {
      arc = arc * 0x80 + (byte & 0x7f);
      if (!Number.isSafeInteger(arc)) throw new DerFault('an object identifier without end');
      isOpen = byte >= 0x80;
      if (isOpen) continue;
      arcs.push(arc);
      arc = 0;
    }
    const [first, ...rest] = arcs;
    if (first === undefined || isOpen) throw new DerFault('an object identifier that is cut off');
    const root = Math.min(2, Math.floor(first / 40));
    return [root, first - root * 40, ...rest].join('.');
  }

  /** @throws DerFault when something is left */
  end(): void {
    if (!this.isAtEnd) throw new DerFault('bytes after the last element');
  }

  /** The next element, whatever it is. @throws DerFault */
  element(): DerElement {
    const tag = this.#byte();
    if ((tag & LONG_TAG) === LONG_TAG) throw new DerFault('a tag number above 30');
    const length = this.#length();
    const end = this.#offset + length;
    if (end > this.#bytes.length) throw new DerFault('an element that is cut off');
    const content = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return { tag, content };
  }

  /** All elements that are left. @throws DerFault */
  elements(): readonly DerElement[] {
    const elements: DerElement[] = [];
    while (!this.isAtEnd) elements.push(this.element());
    return elements;
  }

  #content(kind: DerTagName): Uint8Array {
    if (!this.nextIs(kind)) throw new DerFault(`something else than ${kind}`);
    return this.element().content;
  }

  /** X.690 sections 8.1.3 and 10.1: one byte below 128, and the fewest bytes from there on. */
  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const byteCount = first & 0x7f;
    if (byteCount === 0 || byteCount > MAX_LENGTH_BYTES) throw new DerFault('a length that is not DER');
    let length = 0;
    for (let index = 0; index < byteCount; index += 1) length = length * 0x100 + this.#byte();
    if (length < 0x80 || length < 0x100 ** (byteCount - 1)) throw new DerFault('a length that is not DER');
    return length;
  }

  #byte(): number {
    const byte = this.#bytes[this.#offset];
    if (byte === undefined) throw new DerFault('an element that is cut off');
    this.#offset += 1;
    return byte;
  }
}

/** The content of the one SEQUENCE that `bytes` are. @throws DerFault */
export function wholeSequence(bytes: Uint8Array): DerReader {
  const reader = new DerReader(bytes);
  const content = reader.sequence();
  reader.end();
  return content;
}

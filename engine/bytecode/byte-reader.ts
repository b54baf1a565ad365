import { VespidError } from '../errors/index.js';

const UTF8 = new TextDecoder('utf-8');

/** Byte order of a file: of the machine that it was built for. */
export type ByteOrder = 'little-endian' | 'big-endian';

/** Of the machine that this runs on. */
export const MACHINE_BYTE_ORDER: ByteOrder =
  new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 'little-endian' : 'big-endian';

/**
 * The same bytes as a plain `Uint8Array`. What `readFileSync` gives is a `Buffer`, whose `slice` is a view and not
 * a copy: what looks like a copy to write to would be the caller's own bytes.
 */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return Object.getPrototypeOf(bytes) === Uint8Array.prototype
    ? bytes
    : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * The one class that does offset arithmetic over untrusted bytes: every read states where it reads, and is
 * checked against the end once, here.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  /** What the bytes are, for messages: `probe.bpf.o: .BTF`. */
  readonly label: string;
  readonly byteOrder: ByteOrder;
  readonly #view: DataView;
  readonly #isLittleEndian: boolean;

  constructor(bytes: Uint8Array, label: string, byteOrder: ByteOrder = 'little-endian') {
    this.bytes = plainBytes(bytes);
    this.label = label;
    this.byteOrder = byteOrder;
    this.#isLittleEndian = byteOrder === 'little-endian';
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get byteLength(): number {
    return this.bytes.byteLength;
  }

  u8(byteOffset: number): number {
    this.#check(byteOffset, 1);
    return this.#view.getUint8(byteOffset);
  }

  u16(byteOffset: number): number {
    this.#check(byteOffset, 2);
    return this.#view.getUint16(byteOffset, this.#isLittleEndian);
  }

  u32(byteOffset: number): number {
    this.#check(byteOffset, 4);
    return this.#view.getUint32(byteOffset, this.#isLittleEndian);
  }

  i32(byteOffset: number): number {
    this.#check(byteOffset, 4);
    return this.#view.getInt32(byteOffset, this.#isLittleEndian);
  }

  u64(byteOffset: number): bigint {
    this.#check(byteOffset, 8);
    return this.#view.getBigUint64(byteOffset, this.#isLittleEndian);
  }

  /**
   * A 64-bit size or offset as a number. One beyond 2^53 cannot be a place in any file, so it comes back as
   * `Number.MAX_SAFE_INTEGER` and fails the bounds check of whoever uses it.
   */
  size64(byteOffset: number): number {
    this.#check(byteOffset, 8);
    // Two halves, as a bigint costs an allocation for each of thousands of relocations.
    const first = this.#view.getUint32(byteOffset, this.#isLittleEndian);
    const second = this.#view.getUint32(byteOffset + 4, this.#isLittleEndian);
    const value = this.#isLittleEndian ? second * 2 ** 32 + first : first * 2 ** 32 + second;
    return Math.min(value, Number.MAX_SAFE_INTEGER);
  }

  /** A view (not a copy) of `byteSize` bytes. */
  slice(byteOffset: number, byteSize: number): Uint8Array {
    this.#check(byteOffset, byteSize);
    return this.bytes.subarray(byteOffset, byteOffset + byteSize);
  }

  /** A reader of a part, whose offsets count from the part's start. */
  part(byteOffset: number, byteSize: number, label: string): ByteReader {
    return new ByteReader(this.slice(byteOffset, byteSize), label, this.byteOrder);
  }

  /** The bytes from `byteOffset` up to, not including, the next NUL, which must be there. */
  cString(byteOffset: number): string {
    this.#check(byteOffset, 1);
    const end = this.bytes.indexOf(0, byteOffset);
    if (end === -1) {
      throw new VespidError('BYTES_OUT_OF_RANGE', `${this.label}: string at ${byteOffset} has no end`, {
        hint: 'the file is truncated or damaged',
      });
    }
    return UTF8.decode(this.bytes.subarray(byteOffset, end));
  }

  #check(byteOffset: number, byteSize: number): void {
    if (byteOffset >= 0 && byteSize >= 0 && byteOffset + byteSize <= this.bytes.byteLength) return;
    throw new VespidError(
      'BYTES_OUT_OF_RANGE',
      `${this.label}: ${byteSize} bytes expected at ${byteOffset}, but it ends at ${this.bytes.byteLength}`,
      { hint: 'the file is truncated or damaged' },
    );
  }
}

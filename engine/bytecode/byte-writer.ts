const UTF8 = new TextEncoder();

/** Builds a byte string by appending, little-endian. The counterpart of ByteReader. */
export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #byteLength = 0;

  get byteLength(): number {
    return this.#byteLength;
  }

  u8(value: number): this {
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#grow(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  /** Also takes negative numbers, as their two's complement. */
  u32(value: number): this {
    const at = this.#grow(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  u64(value: bigint | number): this {
    const at = this.#grow(8);
    this.#view.setBigUint64(at, BigInt(value), true);
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.#grow(value.byteLength);
    this.#bytes.set(value, at);
    return this;
  }

  /** The text as UTF-8 with a NUL after it. */
  cString(text: string): this {
    return this.bytes(UTF8.encode(text)).u8(0);
  }

  /** Zeros up to the next multiple of `byteAlignment`. */
  align(byteAlignment: number): this {
    const over = this.#byteLength % byteAlignment;
    if (over !== 0) this.#grow(byteAlignment - over);
    return this;
  }

  /** A copy of everything written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#byteLength);
  }

  /** Makes room for `byteSize` zeros at the end and gives their offset. */
  #grow(byteSize: number): number {
    const at = this.#byteLength;
    this.#byteLength += byteSize;
    if (this.#byteLength > this.#bytes.byteLength) {
      const larger = new Uint8Array(Math.max(this.#byteLength, this.#bytes.byteLength * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

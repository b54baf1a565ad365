/**
 * A 64-bit position in memory shared with the kernel that only ever grows, held as the 32-bit words that JavaScript
 * reads and writes without allocating. All machines that we run on are little-endian.
 *
 * Two positions of one ring never lie further apart than the ring is long (at most {@link LARGEST_RING}), so their
 * distance is the difference of their low words, in 32-bit arithmetic that wraps as they do.
 */
export class RingPosition {
  readonly #words: Int32Array;
  readonly #whole: BigUint64Array;
  #high: number;

  constructor(memory: ArrayBuffer, byteOffset: number) {
    this.#words = new Int32Array(memory, byteOffset, 2);
    this.#whole = new BigUint64Array(memory, byteOffset, 1);
    this.#high = Number(Atomics.load(this.#whole, 0) >> 32n);
  }

  /** The low word, as a signed integer. Everything that the kernel wrote before it advanced is seen after this. */
  load(): number {
    return Atomics.load(this.#words, 0);
  }

  loadWhole(): bigint {
    return Atomics.load(this.#whole, 0);
  }

  /**
   * Advances from low word `from` to low word `to`, both signed. The kernel reads all 64 bits at once, so the step that
   * carries into the high word, one in four gigabytes, is written whole: half of it would look like a full ring.
   */
  advance(from: number, to: number): void {
    if (to >>> 0 >= from >>> 0) {
      Atomics.store(this.#words, 0, to);
      return;
    }
    this.#high++;
    Atomics.store(this.#whole, 0, (BigInt(this.#high) << 32n) | BigInt(to >>> 0));
  }
}

/** Bytes of the largest ring that 32-bit distances can measure. */
export const LARGEST_RING = 0x4000_0000;

/**
 * A small deterministic generator (xorshift32 seeded through a multiply-xor hash): a case of the fuzzer is
 * made of its seed alone, so that one number is enough to see it again.
 */
export class Random {
  #state: number;

  constructor(seed: number) {
    // Zero is the one state that xorshift cannot leave.
    this.#state = scramble(seed) || 0x9e3779b9;
  }

  /** A generator of its own for case `index` of a run: cases do not depend on those before them. */
  static forCase(seed: number, index: number): Random {
    return new Random(scramble(seed) ^ Math.imul(index + 1, 0x9e3779b1));
  }

  u32(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }

  /** 0 to `bound`, exclusive; 0 for an empty range. */
  below(bound: number): number {
    return bound <= 0 ? 0 : this.u32() % bound;
  }

  /** True once in `outOf` times. */
  once(outOf: number): boolean {
    return this.below(outOf) === 0;
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new Error('nothing to pick from');
    return value;
  }
}

/** The finalizer of MurmurHash3: each bit of the input changes half of the output's. */
function scramble(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

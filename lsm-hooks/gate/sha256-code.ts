import { type Assembler, R1, R2, R3, R4, R5, R7 } from '../../engine/bytecode/index.js';

/**
 * SHA-256 (FIPS 180-4) as BPF: one 64-byte block at a time, everything in the working memory. All rounds are
 * unrolled, so the eight working variables rotate by renaming their places instead of moving.
 */
export const SHA256_BLOCK_BYTES = 64;

/** Byte offsets within the hash's part of the working memory. */
export const SHA256 = { block: 0, state: 64, variables: 96, schedule: 128, byteLength: 128 + 256 } as const;

/** FIPS 180-4 section 5.3.3: fractional parts of the square roots of the first eight primes. */
export const INITIAL_STATE = fractionalBits(8, Math.sqrt);
/** Section 4.2.2: fractional parts of the cube roots of the first 64 primes. */
const ROUND_CONSTANTS = fractionalBits(64, Math.cbrt);

/** The first 32 bits of the fractional parts of `root` of the first primes; a double holds 52 of them. */
function fractionalBits(count: number, root: (prime: number) => number): number[] {
  const primes: number[] = [];
  for (let candidate = 2; primes.length < count; candidate++) {
    if (primes.every((prime) => candidate % prime !== 0)) primes.push(candidate);
  }
  return primes.map((prime) => Math.floor((root(prime) % 1) * 2 ** 32));
}

/** compress(working memory): takes the block into the state. `at` is where the hash's part begins. */
export function assembleCompress(assembler: Assembler, at: number): void {
  const word = (base: number, index: number) => at + base + index * 4;
  assembler.move(R7, R1);
  for (let t = 0; t < 16; t++) {
    assembler
      .load(4, R1, R7, word(SHA256.block, t))
      .toBigEndian(R1, 32)
      .store(4, R7, word(SHA256.schedule, t), R1);
  }
  for (let t = 16; t < 64; t++) emitScheduleWord(assembler, (index) => word(SHA256.schedule, index), t);
  for (let i = 0; i < 8; i++) {
    assembler.load(4, R1, R7, word(SHA256.state, i)).store(4, R7, word(SHA256.variables, i), R1);
  }
  for (let t = 0; t < 64; t++) {
    emitRound(assembler, {
      variable: (name) => word(SHA256.variables, (VARIABLES.indexOf(name) + 64 - t) % 8),
      scheduleWord: word(SHA256.schedule, t),
      constant: ROUND_CONSTANTS[t] ?? 0,
    });
  }
  for (let i = 0; i < 8; i++) {
    assembler
      .load(4, R1, R7, word(SHA256.state, i))
      .load(4, R2, R7, word(SHA256.variables, i))
      .alu32('add', R1, R2)
      .store(4, R7, word(SHA256.state, i), R1);
  }
  assembler.moveImmediate(0, 0).exit();
}

const VARIABLES = 'abcdefgh';

/** W[t] = σ1(W[t-2]) + W[t-7] + σ0(W[t-15]) + W[t-16], section 6.2.2 step 1. */
function emitScheduleWord(assembler: Assembler, word: (index: number) => number, t: number): void {
  assembler.load(4, R1, R7, word(t - 2));
  emitRotations(assembler, R3, [17, 19], 10);
  assembler
    .load(4, R4, R7, word(t - 7))
    .alu32('add', R3, R4)
    .load(4, R4, R7, word(t - 16))
    .alu32('add', R3, R4);
  assembler.load(4, R1, R7, word(t - 15));
  emitRotations(assembler, R5, [7, 18], 3);
  assembler.alu32('add', R3, R5).store(4, R7, word(t), R3);
}

interface Round {
  /** Offset of a working variable in this round. */
  readonly variable: (name: string) => number;
  readonly scheduleWord: number;
  readonly constant: number;
}

/** Section 6.2.2 step 3: T1 goes to d, T1 + T2 to the place of h, which is a in the next round. */
function emitRound(assembler: Assembler, { variable, scheduleWord, constant }: Round): void {
  assembler.load(4, R1, R7, variable('e'));
  emitRotations(assembler, R3, [6, 11, 25]);
  // Ch(e, f, g) = g ^ (e & (f ^ g))
  assembler
    .load(4, R4, R7, variable('f'))
    .load(4, R5, R7, variable('g'))
    .alu32('xor', R4, R5)
    .alu32('and', R4, R1)
    .alu32('xor', R4, R5)
    .alu32('add', R3, R4)
    .load(4, R4, R7, variable('h'))
    .alu32('add', R3, R4)
    .load(4, R4, R7, scheduleWord)
    .alu32('add', R3, R4)
    .alu32Immediate('add', R3, constant)
    .load(4, R4, R7, variable('d'))
    .alu32('add', R4, R3)
    .store(4, R7, variable('d'), R4)
    .load(4, R1, R7, variable('a'));
  emitRotations(assembler, R5, [2, 13, 22]);
  assembler.alu32('add', R3, R5);
  // Maj(a, b, c) = (a & b) | (c & (a | b))
  assembler
    .load(4, R4, R7, variable('b'))
    .load(4, R5, R7, variable('c'))
    .move(R2, R1)
    .alu32('or', R2, R4)
    .alu32('and', R2, R5)
    .alu32('and', R1, R4)
    .alu32('or', R1, R2)
    .alu32('add', R3, R1)
    .store(4, R7, variable('h'), R3);
}

/**
 * `result` = the exclusive or of R1 rotated right by each of `rotations`, and of R1 shifted right by `shift`.
 * With the word in both halves of R2, a plain shift rotates. Keeps R1; uses R2 and R4.
 */
function emitRotations(
  assembler: Assembler,
  result: typeof R3 | typeof R5,
  rotations: readonly [number, ...number[]],
  shift?: number,
): void {
  const [first, ...others] = rotations;
  assembler.move(R2, R1).aluImmediate('lsh', R2, 32).alu('or', R2, R1).move(result, R2);
  assembler.aluImmediate('rsh', result, first);
  for (const rotation of others) {
    assembler.move(R4, R2).aluImmediate('rsh', R4, rotation).alu('xor', result, R4);
  }
  if (shift !== undefined) assembler.move(R4, R1).aluImmediate('rsh', R4, shift).alu('xor', result, R4);
  assembler.alu32Immediate('and', result, -1);
}

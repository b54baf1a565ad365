import type { Codec } from './codec.js';
import { mismatch } from './value-mismatch.js';

/** Where an integer stands in its bytes, little-endian as the machines that Vespid runs on. */
export interface IntegerPlace {
  readonly byteSize: number;
  /** From the least significant bit of the first byte; not 0 only for bit fields. */
  readonly bitOffset: number;
  readonly bitSize: number;
  readonly isSigned: boolean;
}

/** Largest width whose every value a JavaScript number holds with room to spare; wider ones are bigints. */
const NUMBER_BITS = 32;

/**
 * An integer: a number up to 32 bits, a bigint above. Encoding takes either, and refuses what does not fit.
 * Bits beside a bit field stay as they are in the target.
 */
export function integerCodec(place: IntegerPlace, where: string): Codec<number | bigint> {
  const { byteSize, bitOffset, bitSize, isSigned } = place;
  const mask = (1n << BigInt(bitSize)) - 1n;
  const shift = BigInt(bitOffset);
  const lowest = isSigned ? -(1n << BigInt(bitSize - 1)) : 0n;
  const highest = isSigned ? (1n << BigInt(bitSize - 1)) - 1n : mask;
  return {
    byteSize,
    encode(value, target) {
      const wanted = integerOf(value, where);
      if (wanted < lowest || wanted > highest) {
        throw mismatch(where, `an integer from ${lowest} to ${highest}`, value);
      }
      const others = readLittleEndian(target) & ~(mask << shift);
      writeLittleEndian(target, others | ((wanted & mask) << shift));
    },
    decode(bytes) {
      const raw = (readLittleEndian(bytes) >> shift) & mask;
      const value = isSigned ? BigInt.asIntN(bitSize, raw) : raw;
      return bitSize > NUMBER_BITS ? value : Number(value);
    },
  };
}

function integerOf(value: unknown, where: string): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  throw mismatch(where, 'an integer', value);
}

function readLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function writeLittleEndian(target: Uint8Array, value: bigint): void {
  for (let at = 0, rest = value; at < target.byteLength; at++, rest >>= 8n) {
    target[at] = Number(rest & 0xffn);
  }
}

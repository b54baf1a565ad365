import type { Random } from '../random.js';
import { changeField } from './numbers.js';

/** A block that is moved, doubled or taken out: large enough for a header, small enough to leave structure. */
const MOST_BLOCK_BYTES = 256;

/** Blind changes: a byte, a bit, a word, or a block copied, taken out, put in, filled. Gives new bytes. */
export function mutateBytes(random: Random, original: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  let bytes: Uint8Array = original.slice();
  for (let count = 1 + random.below(4); count > 0; count--) bytes = mutateOnce(random, bytes, others);
  return bytes;
}

function mutateOnce(random: Random, bytes: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  const at = random.below(bytes.byteLength);
  const size = 1 + random.below(Math.min(MOST_BLOCK_BYTES, bytes.byteLength - at));
  switch (random.below(9)) {
    case 0:
      bytes[at] = random.below(256);
      return bytes;
    case 1:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      return bytes;
    case 2:
    case 3:
      changeField(random, bytes, at & ~3, 4, true);
      return bytes;
    case 4:
      bytes.copyWithin(random.below(bytes.byteLength), at, at + size);
      return bytes;
    case 5:
      return joined(bytes.subarray(0, at), bytes.subarray(at + size));
    case 6:
      return joined(bytes.subarray(0, at), bytes.subarray(at, at + size), bytes.subarray(at));
    case 7:
      bytes.fill(random.pick([0, 0xff]), at, at + size);
      return bytes;
    default:
      return splice(random, bytes, random.pick(others));
  }
}

/** The beginning of one and the end of another, or a block of one written over the other. */
function splice(random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array {
  const from = random.below(other.byteLength);
  if (random.once(2)) return joined(bytes.subarray(0, random.below(bytes.byteLength)), other.subarray(from));
  const at = random.below(bytes.byteLength);
  const block = other.subarray(from, from + 1 + random.below(MOST_BLOCK_BYTES));
  bytes.set(block.subarray(0, bytes.byteLength - at), at);
  return bytes;
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

import {
  assembleInstructions,
  DISASSEMBLY_STYLES,
  decodeInstructions,
  disassemble,
  encodeInstructions,
} from '../../../engine/bytecode/index.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { elfPlaces } from '../mutation/elf-places.js';
import { mutateBytes } from '../mutation/mutate-bytes.js';
import { changeField } from '../mutation/numbers.js';

const FIELDS = [
  [0, 1],
  [1, 1],
  [2, 2],
  [4, 4],
] as const;
const SLOT_BYTES = 8;

/** Machine code. What can be decoded must come back, from its encoding and from its text in every style. */
export const instructions: FuzzTarget = {
  name: 'instructions',
  codes: ['INSTRUCTION_TRUNCATED', 'INSTRUCTION_UNKNOWN', 'INSTRUCTION_RESERVED_FIELD', 'INSTRUCTION_LIMIT'],
  seeds: (objects) => objects.filter((object) => object[5] === 1).flatMap(codeSections),
  mutate: (random, seed, seeds) => {
    if (random.once(4)) return mutateBytes(random, seed, seeds);
    const bytes = seed.slice();
    for (let count = 1 + random.below(4); count > 0; count--) {
      const [byteOffset, byteSize] = random.pick(FIELDS);
      const slotIndex = random.below(bytes.byteLength / SLOT_BYTES);
      changeField(random, bytes, slotIndex * SLOT_BYTES + byteOffset, byteSize, true);
    }
    return bytes;
  },
  run: (input) => {
    const decoded = decodeInstructions(input);
    expectSame(input, encodeInstructions(decoded), 'encoded again');
    for (const style of DISASSEMBLY_STYLES) {
      const assembled = assembleInstructions(disassemble(decoded, style));
      expectSame(input, encodeInstructions(assembled), `assembled from the ${style} form`);
    }
  },
};

export function codeSections(object: Uint8Array): Uint8Array[] {
  return (elfPlaces(object)?.sections ?? [])
    .filter(({ isCode, byteSize }) => isCode && byteSize > 0)
    .map(({ at, byteSize }) => object.slice(at, at + byteSize));
}

/** Not one of our errors, so that the driver takes it for a fault. */
function expectSame(expected: Uint8Array, actual: Uint8Array, how: string): void {
  if (Buffer.compare(expected, actual) !== 0) throw new Error(`other bytes when ${how}`);
}

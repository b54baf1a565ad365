import { Btf, byteSizeOf, skipModifiers } from '../../../engine/bytecode/index.js';
import { type ErrorCode, VespidError } from '../../../engine/errors/index.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { sectionBytes } from '../mutation/elf-places.js';
import { mutateBtf } from '../mutation/mutate-btf.js';
import { mutateBytes } from '../mutation/mutate-bytes.js';
import type { Random } from '../random.js';

const CODES: readonly ErrorCode[] = ['BYTES_OUT_OF_RANGE', 'BTF_MALFORMED'];

/** Types looked at in one input: enough for every object of the corpus. */
const MOST_TYPES = 2_000;

export const btf: FuzzTarget = {
  name: 'btf',
  codes: CODES,
  seeds: (objects) => objects.flatMap((object) => sectionBytes(object, '.BTF')),
  mutate: mutateBtfBytes,
  run: (input) => {
    const opened = new Btf(input, 'fuzzed.btf');
    const count = Math.min(opened.typeCount, MOST_TYPES);
    for (let typeId = 0; typeId < count; typeId++) {
      afterRefusals(() => opened.type(typeId));
      afterRefusals(() => opened.idsByName(opened.nameOf(typeId)));
      afterRefusals(() => skipModifiers(opened, typeId));
      afterRefusals(() => byteSizeOf(opened, typeId));
    }
  },
};

/** One type that is refused does not keep the others from being asked for. */
export function afterRefusals(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof VespidError && CODES.includes(error.code))) throw error;
  }
}

export function mutateBtfBytes(random: Random, seed: Uint8Array, seeds: readonly Uint8Array[]): Uint8Array {
  if (random.once(3)) return mutateBytes(random, seed, seeds);
  const bytes = seed.slice();
  mutateBtf(random, bytes);
  return bytes;
}

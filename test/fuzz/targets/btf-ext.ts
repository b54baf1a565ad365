import { readBtfExt } from '../../../engine/bytecode/btf/btf-ext.js';
import { Btf } from '../../../engine/bytecode/index.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { sectionBytes } from '../mutation/elf-places.js';
import { mutateBytes } from '../mutation/mutate-bytes.js';
import { changeField } from '../mutation/numbers.js';
import { packParts, unpackParts } from '../parts.js';

/** The inputs are pairs of .BTF, left alone, and .BTF.ext. */
export const btfExt: FuzzTarget = {
  name: 'btf-ext',
  codes: ['BYTES_OUT_OF_RANGE', 'BTF_EXT_MALFORMED', 'BTF_MALFORMED'],
  seeds: (objects) =>
    objects.flatMap((object) => {
      const parts = [...sectionBytes(object, '.BTF'), ...sectionBytes(object, '.BTF.ext')];
      return parts.length === 2 ? [packParts(parts)] : [];
    }),
  mutate: (random, seed, seeds) => {
    const [btf = seed, ext = seed] = unpackParts(seed);
    if (random.once(3)) {
      const others = seeds.map((other) => unpackParts(other)[1] ?? other);
      return packParts([btf, mutateBytes(random, ext, others)]);
    }
    // The whole section is words of 32 bits; half of the changes go into the header and the first records.
    const bytes = ext.slice();
    for (let count = 1 + random.below(3); count > 0; count--) {
      const end = random.once(2) ? Math.min(64, bytes.byteLength) : bytes.byteLength;
      changeField(random, bytes, random.below(end) & ~3, 4, bytes[0] === 0x9f);
    }
    return packParts([btf, bytes]);
  },
  run: (input) => {
    const [btf = input, ext = input] = unpackParts(input);
    readBtfExt(ext, new Btf(btf, 'fuzzed.btf'), 'fuzzed.btf.ext');
  },
};

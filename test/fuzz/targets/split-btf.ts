import { Btf, byteSizeOf } from '../../../engine/bytecode/index.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { packParts, unpackParts } from '../parts.js';
import { afterRefusals, btf, mutateBtfBytes } from './btf.js';

/** A module's types over a kernel's: the inputs are pairs of base and split. */
export const splitBtf: FuzzTarget = {
  name: 'split-btf',
  codes: btf.codes,
  // What a compiler writes for one object is not split from another's, but has the form: ids reach into the base.
  seeds: (objects) => {
    const all = btf.seeds(objects);
    return all.map((bytes, index) => packParts([all[(index + 1) % all.length] ?? bytes, bytes]));
  },
  mutate: (random, seed, seeds) => {
    const [base = seed, split = seed] = unpackParts(seed);
    const others = seeds.flatMap(unpackParts);
    return random.once(4)
      ? packParts([mutateBtfBytes(random, base, others), split])
      : packParts([base, mutateBtfBytes(random, split, others)]);
  },
  run: (input) => {
    const [baseBytes = input, splitBytes = input] = unpackParts(input);
    const base = new Btf(baseBytes, 'base.btf');
    const split = new Btf(splitBytes, 'split.btf', base);
    for (let typeId = base.typeCount; typeId < split.typeCount; typeId++) {
      afterRefusals(() => split.type(typeId));
      afterRefusals(() => split.idsByName(split.nameOf(typeId)));
      afterRefusals(() => byteSizeOf(split, typeId));
    }
  },
};

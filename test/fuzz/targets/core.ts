import { applyCoreRelocations, Btf, linkProgram, readObject } from '../../../engine/bytecode/index.js';
import { CORE_CODES, type FuzzTarget, OBJECT_CODES } from '../fuzz-target.js';
import { sectionBytes } from '../mutation/elf-places.js';
import { mutateElf } from '../mutation/mutate-elf.js';
import { packParts, unpackParts } from '../parts.js';
import { mutateBtfBytes } from './btf.js';

/** The inputs are pairs of an object and the types that stand in for the kernel's: at first its own. */
export const core: FuzzTarget = {
  name: 'core',
  codes: [...OBJECT_CODES, ...CORE_CODES],
  seeds: (objects) =>
    objects.flatMap((object) => sectionBytes(object, '.BTF').map((btf) => packParts([object, btf]))),
  mutate: (random, seed, seeds) => {
    const [object = seed, kernel = seed] = unpackParts(seed);
    const others = seeds.map(unpackParts);
    const objects = others.map(([other = seed]) => other);
    const kernels = others.map(([, other = seed]) => other);
    return packParts([
      random.once(4) ? object : mutateElf(random, object, objects),
      random.once(2) ? kernel : mutateBtfBytes(random, kernel, kernels),
    ]);
  },
  run: (input) => {
    const [objectBytes = input, kernelBytes = input] = unpackParts(input);
    const object = readObject(objectBytes, 'fuzzed.bpf.o');
    const { btf } = object;
    if (btf === undefined) return;
    const target = { vmlinux: new Btf(kernelBytes, 'vmlinux'), modules: () => [] };
    for (const program of object.programs) applyCoreRelocations(linkProgram(object, program), btf, target);
  },
};

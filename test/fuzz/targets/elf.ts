import { readElf } from '../../../engine/bytecode/elf/elf-reader.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { mutateElf } from '../mutation/mutate-elf.js';

export const elf: FuzzTarget = {
  name: 'elf',
  codes: ['BYTES_OUT_OF_RANGE', 'ELF_MALFORMED', 'ELF_UNSUPPORTED'],
  seeds: (objects) => objects,
  mutate: mutateElf,
  run: (input) => {
    readElf(input, 'fuzzed.bpf.o');
  },
};

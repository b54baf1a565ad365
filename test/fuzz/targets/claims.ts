// By its own path: the loader's index would load what talks to the kernel.
import { computeFileClaims } from '../../../engine/loader/claims/compute-claims.js';
import { type FuzzTarget, OBJECT_CODES } from '../fuzz-target.js';
import { mutateElf } from '../mutation/mutate-elf.js';

/** What is stated of an object that nobody vouches for yet: every program's facts, and what its bytes can do. */
export const claims: FuzzTarget = {
  name: 'claims',
  codes: [...OBJECT_CODES, 'OBJECT_SECTION_UNKNOWN'],
  seeds: (objects) => objects,
  mutate: mutateElf,
  run: (input) => {
    computeFileClaims({ kind: 'object', name: 'fuzzed.bpf.o', bytes: input });
  },
};

import { DISASSEMBLY_STYLES, disassembleFunction, readObject } from '../../../engine/bytecode/index.js';
import { type FuzzTarget, OBJECT_CODES } from '../fuzz-target.js';
import { mutateElf } from '../mutation/mutate-elf.js';

/** An object as `vespid disasm` shows it. */
export const disassembly: FuzzTarget = {
  name: 'disassembly',
  codes: [
    ...OBJECT_CODES,
    'INSTRUCTION_TRUNCATED',
    'INSTRUCTION_UNKNOWN',
    'INSTRUCTION_RESERVED_FIELD',
    'INSTRUCTION_LIMIT',
    'CORE_MALFORMED',
  ],
  seeds: (objects) => objects,
  mutate: mutateElf,
  run: (input) => {
    const object = readObject(input, 'fuzzed.bpf.o');
    for (const of of [...object.programs, ...object.subprograms]) {
      for (const style of DISASSEMBLY_STYLES) disassembleFunction(object, of, style);
    }
  },
};

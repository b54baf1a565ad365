import {
  type LinkedProgram,
  linkProgram,
  parseSectionName,
  programFacts,
  readObject,
} from '../../../engine/bytecode/index.js';
import { type FuzzTarget, OBJECT_CODES } from '../fuzz-target.js';
import { mutateElf } from '../mutation/mutate-elf.js';

export const object: FuzzTarget = {
  name: 'object',
  codes: [...OBJECT_CODES, 'OBJECT_SECTION_UNKNOWN'],
  seeds: (objects) => objects,
  mutate: mutateElf,
  run: (input) => {
    const read = readObject(input, 'fuzzed.bpf.o');
    for (const program of read.programs) {
      readLines(linkProgram(read, program));
      programFacts(read, program);
      parseSectionName(program.section);
    }
  },
};

/** The text of a line is read from the strings only when asked for. */
function readLines({ lines }: LinkedProgram): number {
  return lines.reduce((sum, { fileName, source }) => sum + fileName.length + source.length, 0);
}

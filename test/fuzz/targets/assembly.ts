import {
  assemble,
  DISASSEMBLY_STYLES,
  decodeInstructions,
  disassemble,
} from '../../../engine/bytecode/index.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { mutateText } from '../mutation/mutate-text.js';
import { codeSections } from './instructions.js';

/** Long enough for every form to appear somewhere, short enough that a change is likely to matter. */
const LINES_PER_SEED = 40;

/** What the disassembler does not print. */
const WRITTEN = [
  '.map counts type=array key=4 value=8 entries=1 flags=0',
  '.function on_switch raw_tp/sched_switch',
  '  r1 = counts ll // a comment',
  '  call get_current_pid_tgid',
  '  if r0 == 0x0 goto out # another',
  '  call inner',
  'out:',
  '  r0 = 0',
  '  exit',
  '.function inner',
  '  r0 = 1 ; and one more',
  '  exit',
];

/** Text of the assembler. What is assembled must be instructions. */
export const assembly: FuzzTarget = {
  name: 'assembly',
  codes: [
    'ASSEMBLY_SYNTAX',
    'ASSEMBLY_RANGE',
    'ASSEMBLY_SYMBOL_UNKNOWN',
    'ASSEMBLY_SYMBOL_DUPLICATE',
    'ASSEMBLY_LIMIT',
  ],
  seeds: (objects) => {
    const code = objects.filter((object) => object[5] === 1).flatMap(codeSections);
    const texts = DISASSEMBLY_STYLES.flatMap((style) =>
      code.flatMap((bytes) => blocksOf(disassemble(decodeInstructions(bytes), style).split('\n'))),
    );
    return [WRITTEN.join('\n'), ...texts].map((text) => new TextEncoder().encode(text));
  },
  mutate: (random, seed, seeds) => {
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return new TextEncoder().encode(mutateText(random, decode(seed), [random.pick(seeds), seed].map(decode)));
  },
  run: (input) => {
    const { programs, subprograms } = assemble(new TextDecoder().decode(input));
    const functions = [...programs.map((program) => program.function), ...subprograms];
    for (const { instructions } of functions) {
      try {
        decodeInstructions(instructions);
      } catch (error) {
        // One of our errors would pass for a refusal of the text.
        throw new Error('what was assembled cannot be decoded', { cause: error });
      }
    }
  },
};

function blocksOf(lines: readonly string[]): string[] {
  const blocks: string[] = [];
  for (let from = 0; from < lines.length; from += LINES_PER_SEED) {
    blocks.push(lines.slice(from, from + LINES_PER_SEED).join('\n'));
  }
  return blocks;
}

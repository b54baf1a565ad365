import type { SectionMeaning } from '../../bytecode/index.js';
import type { BpfProgram } from '../../kernel/index.js';
import type { ResolvedTarget } from './attach-target.js';

/** A program in the kernel, with what its section says of attaching it. */
export interface LoadedProgram {
  readonly name: string;
  readonly section: string;
  readonly meaning: SectionMeaning;
  readonly program: BpfProgram;
  /** What it was loaded for. */
  readonly target: ResolvedTarget;
  /** The name that stands for its target: the section's, or the one that the caller gave. */
  readonly targetName: string | null;
}

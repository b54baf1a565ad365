import {
  type CoreResolver,
  formatSourceLine,
  type LinkedProgram,
  type PoisonedInstruction,
  relocateProgram,
  sourceLineAt,
} from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import type { SelectedProgram } from '../selection.js';
import { patchReferences, type ReferenceTargets } from './patch-references.js';

/** A program whose instructions are as this kernel's verifier will get them. */
export interface PreparedProgram {
  readonly selected: SelectedProgram;
  readonly instructions: Uint8Array;
  readonly poisoned: readonly PoisonedInstruction[];
  readonly fdArray: Int32Array | undefined;
  /** Instead of what its section says: the member's index of a struct_ops program. */
  readonly expectedAttachType: number | undefined;
}

/**
 * A program's instructions for the types of this kernel: CO-RE.
 *
 * @param resolver undefined for an object without types
 * @throws VespidError CORE_*, and KERNEL_UNSUPPORTED if `needsEveryField` and the kernel lacks one
 */
export function relocateTypes(
  linked: LinkedProgram,
  resolver: CoreResolver | undefined,
  needsEveryField: boolean,
): Pick<PreparedProgram, 'instructions' | 'poisoned'> {
  if (resolver === undefined || linked.coreRelocations.length === 0) {
    return { instructions: linked.instructions.slice(), poisoned: [] };
  }
  const relocated = relocateProgram(linked, resolver);
  const [missing] = relocated.poisoned;
  if (missing === undefined || !needsEveryField) return relocated;
  const line = sourceLineAt(linked.lines, missing.slotIndex);
  const where = line === undefined ? '' : ` (${formatSourceLine(line)})`;
  throw new VespidError(
    'KERNEL_UNSUPPORTED',
    `${linked.objectName}: ${linked.name}: ${missing.reason}${where}`,
  );
}

/** Puts in what the program refers to, in place. @throws VespidError EXTERN_UNRESOLVED, KERNEL_* */
export function patchProgram(
  linked: LinkedProgram,
  instructions: Uint8Array,
  targets: ReferenceTargets,
): Pick<PreparedProgram, 'fdArray'> {
  patchReferences(instructions, linked, targets);
  return { fdArray: linked.kfuncReferences.length === 0 ? undefined : targets.externs().fdArray };
}

import { CoreResolver, type ObjectFile, type ObjectFunction } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import type { BpfProgram, KernelTypes, OwnedFd, ResourceStack } from '../../kernel/index.js';
import type { KernelExterns } from '../externs/kernel-externs.js';
import type { SelectedProgram } from '../selection.js';
import type { StructOpsRole } from '../struct-ops/struct-ops-map.js';
import { type AttachTarget, resolveTarget } from './attach-target.js';
import { explainRefusal } from './explain-refusal.js';
import { type Admit, loadProgram } from './load-program.js';
import type { LoadedProgram } from './loaded-program.js';
import type { ReferenceTargets } from './patch-references.js';
import { poisonMissingCalls } from './poison-missing-calls.js';
import { type PreparedProgram, patchProgram, relocateTypes } from './prepare-program.js';

/** What all programs of one load share. */
export interface ProgramContext {
  readonly object: ObjectFile;
  /** Reads the kernel's types at the first call. */
  readonly types: () => KernelTypes;
  readonly targets: Readonly<Record<string, AttachTarget>>;
  readonly references: ReferenceTargets;
  readonly externs: () => KernelExterns;
  readonly roles: ReadonlyMap<ObjectFunction, StructOpsRole>;
  readonly btf: OwnedFd | undefined;
  readonly admit: Admit | undefined;
}

/** A program for this kernel's types, not yet for its maps. */
export type RelocatedSelection = Pick<PreparedProgram, 'instructions' | 'poisoned'> & {
  readonly selected: SelectedProgram;
};

/**
 * CO-RE for all programs, before anything is made in the kernel. Programs of one object share what is resolved.
 *
 * @throws VespidError CORE_*, KERNEL_UNSUPPORTED
 */
export function relocatePrograms(
  object: ObjectFile,
  programs: readonly SelectedProgram[],
  types: () => KernelTypes,
  needsEveryField: boolean,
): RelocatedSelection[] {
  const resolver =
    object.btf === undefined ? undefined : new CoreResolver(object.btf, () => types().coreTarget);
  return programs.map((selected) => ({
    selected,
    ...relocateTypes(selected.linked, resolver, needsEveryField),
  }));
}

/**
 * Loads the programs in the object's order; what was loaded goes with `resources` if a later one is refused.
 *
 * @throws VespidError EXTERN_UNRESOLVED, ATTACH_TARGET_UNKNOWN, PROGRAM_REFUSED, KERNEL_*
 */
export function loadPrograms(
  programs: readonly RelocatedSelection[],
  context: ProgramContext,
  resources: ResourceStack,
): LoadedProgram[] {
  return programs.map((relocated) => {
    const { selected, instructions } = relocated;
    const { name, section } = selected.linked;
    const role = context.roles.get(selected.function);
    const wish = Object.hasOwn(context.targets, name) ? context.targets[name] : undefined;
    const target = role?.target ?? resolveTarget(selected, wish, context.types);
    const prepared: PreparedProgram = {
      ...relocated,
      ...patchProgram(selected.linked, instructions, context.references),
      expectedAttachType: role?.memberIndex,
    };
    const program = resources.use(loadExplained(prepared, target, context));
    const { meaning } = selected;
    return { name, section, meaning, program, target, targetName: wish?.name ?? meaning.attachTarget };
  });
}

/** A refusal for a call of a missing kernel function is asked for once more in the form that the log explains. */
function loadExplained(
  prepared: PreparedProgram,
  target: LoadedProgram['target'],
  context: ProgramContext,
): BpfProgram {
  const { linked } = prepared.selected;
  const { object, btf, admit } = context;
  const externs = linked.kfuncReferences.length > 0 ? context.externs() : undefined;
  try {
    return loadProgram(object, prepared, target, btf, admit);
  } catch (error) {
    const isRefused = error instanceof VespidError && error.code === 'PROGRAM_REFUSED';
    const poisoned =
      isRefused && externs !== undefined
        ? poisonMissingCalls(prepared.instructions, linked, externs)
        : undefined;
    if (poisoned === undefined) throw explainRefusal(error, linked, prepared.poisoned, externs);
    try {
      return loadProgram(object, { ...prepared, instructions: poisoned }, target, btf, admit);
    } catch (second) {
      throw explainRefusal(second, linked, prepared.poisoned, externs);
    }
  }
}

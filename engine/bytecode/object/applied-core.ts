import { VespidError } from '../../errors/index.js';
import type { Btf } from '../btf/btf-reader.js';
import { CoreResolver } from '../core/core-resolver.js';
import type { CoreTarget } from '../core/core-target.js';
import { patchInstruction } from '../core/patch-instruction.js';
import type { CoreKind } from '../core/relocation-kind.js';
import { InstructionSlots } from '../instruction-slots.js';
import type { LinkedProgram } from './link.js';

/**
 * An instruction that needs something which this kernel does not have. The kernel refuses the program only if
 * it can be reached, so that programs may guard it with a test for existence.
 */
export interface PoisonedInstruction {
  readonly slotIndex: number;
  readonly kind: CoreKind;
  /** `the kernel has no field task_struct.foo` */
  readonly reason: string;
}

export interface RelocatedProgram {
  readonly instructions: Uint8Array;
  readonly poisoned: readonly PoisonedInstruction[];
}

/**
 * The instructions of one program for one kernel: every CO-RE relocation resolved against its types.
 * @param objectBtf types of the object that the program is from
 * @param target types of the kernel; a function is called only if a relocation needs one
 * @throws VespidError CORE_* and BTF_MALFORMED, naming object, program and instruction
 */
export function applyCoreRelocations(
  program: LinkedProgram,
  objectBtf: Btf,
  target: CoreTarget | (() => CoreTarget),
): RelocatedProgram {
  return relocateProgram(program, new CoreResolver(objectBtf, target));
}

/** {@link applyCoreRelocations} for several programs of one object, which share what is resolved. */
export function relocateProgram(program: LinkedProgram, resolver: CoreResolver): RelocatedProgram {
  const label = `${program.objectName}: ${program.name}`;
  const slots = new InstructionSlots(program.instructions.slice(), label);
  const poisoned: PoisonedInstruction[] = [];
  for (const relocation of program.coreRelocations) {
    const { slotIndex, kind } = relocation;
    try {
      const reason = patchInstruction(slots, slotIndex, resolver.resolve(relocation));
      if (reason !== undefined) poisoned.push({ slotIndex, kind, reason });
    } catch (cause) {
      if (!(cause instanceof VespidError)) throw cause;
      throw new VespidError(cause.code, `${label}, instruction ${slotIndex}: ${cause.message}`, {
        cause,
        details: { ...cause.details, object: program.objectName, program: program.name, slotIndex },
      });
    }
  }
  return { instructions: slots.bytes, poisoned };
}

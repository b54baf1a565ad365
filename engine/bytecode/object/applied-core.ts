import { VespidError } from '../../errors/index.js';
import type { Btf } from '../btf/btf-reader.js';
import { CoreResolver } from '../core/core-resolver.js';
import type { CoreTarget } from '../core/core-target.js';
import { patchInstruction } from '../core/patch-instruction.js';
import type { CoreKind } from '../core/relocation-kind.js';
import type { CoreResolution } from '../core/resolution.js';
import { InstructionSlots } from '../instruction-slots.js';
import type { LinkedProgram } from './link.js';
import { formatSourceLine, type SourceLine, sourceLineAt } from './source-line.js';

/**
 * An instruction that needs something which this kernel does not have. The kernel refuses the program only if
 * it can be reached (`invalid func unknown#195896080` in the verifier's log), so that programs may guard it
 * with a test for existence.
 */
export interface PoisonedInstruction {
  readonly slotIndex: number;
  readonly kind: CoreKind;
  /** `the kernel has no field task_struct.foo` */
  readonly reason: string;
  /** Where in the object: `probe.bpf.o: on_exec, instruction 12 (probe.bpf.c:34: pid = task->foo;)` */
  readonly place: string;
  /** Undefined if the object does not say. */
  readonly line: SourceLine | undefined;
}

export interface RelocatedProgram {
  readonly instructions: Uint8Array;
  readonly poisoned: readonly PoisonedInstruction[];
}

/**
 * The instructions of one program for one kernel: every CO-RE relocation resolved against its types.
 * @param objectBtf types of the object that the program is from
 * @param target types of the kernel; a function is called only if a relocation needs one
 * @throws VespidError CORE_* and BTF_MALFORMED, naming object, program, instruction and line of source
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
  const slots = new InstructionSlots(program.instructions.slice(), `${program.objectName}: ${program.name}`);
  const poisoned: PoisonedInstruction[] = [];
  for (const relocation of program.coreRelocations) {
    const { slotIndex, kind } = relocation;
    let resolution: CoreResolution;
    let reason: string | undefined;
    try {
      resolution = resolver.resolve(relocation);
    } catch (cause) {
      throw placed(cause, program, slotIndex);
    }
    try {
      reason = patchInstruction(slots, slotIndex, resolution);
    } catch (cause) {
      throw placed(cause, program, slotIndex, resolver.describe(relocation));
    }
    if (reason === undefined) continue;
    // The kernel has the field, but in a form that the instruction cannot use.
    if (resolution.outcome === 'value') reason = `${resolver.describe(relocation)}: ${reason}`;
    const line = sourceLineAt(program.lines, slotIndex);
    poisoned.push({ slotIndex, kind, reason, place: placeOf(program, slotIndex), line });
  }
  return { instructions: slots.bytes, poisoned };
}

/** The error with its place in front, and what the access is if the error does not say it itself. */
function placed(cause: unknown, program: LinkedProgram, slotIndex: number, access?: string): unknown {
  if (!(cause instanceof VespidError)) return cause;
  const { objectName: object, name } = program;
  const parts = [placeOf(program, slotIndex), ...(access === undefined ? [] : [access]), cause.message];
  return new VespidError(cause.code, parts.join(': '), {
    cause,
    details: { ...cause.details, object, program: name, slotIndex },
  });
}

function placeOf(program: LinkedProgram, slotIndex: number): string {
  const line = sourceLineAt(program.lines, slotIndex);
  const source = line === undefined ? '' : ` (${formatSourceLine(line)})`;
  return `${program.objectName}: ${program.name}, instruction ${slotIndex}${source}`;
}

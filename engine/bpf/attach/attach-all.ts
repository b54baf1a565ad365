import { PROGRAM_TYPE } from '../../bytecode/index.js';
import { ResourceStack, registerStructOps, type StructOpsRegistration } from '../../kernel/index.js';
import type { LoadedProgram } from '../programs/loaded-program.js';
import type { LoadedStructOps } from '../struct-ops/loaded-struct-ops.js';

/** Programs that others call: a struct_ops variable, or whoever runs a syscall program. */
const NOT_ATTACHED: ReadonlySet<number> = new Set([PROGRAM_TYPE['struct-ops'], PROGRAM_TYPE.syscall]);

/** Registers a struct_ops variable. @throws VespidError KERNEL_* */
export function attachStructOps(structOps: LoadedStructOps): StructOpsRegistration {
  return registerStructOps(structOps.map, structOps.value);
}

/**
 * Attaches programs in their order, then registers struct_ops variables. If one fails, those before it are detached.
 *
 * @param attach attaches one program
 * @throws VespidError ATTACH_UNSUPPORTED, KERNEL_*
 */
export function attachEach(
  programs: readonly LoadedProgram[],
  structOps: readonly LoadedStructOps[],
  attach: (program: LoadedProgram) => Disposable,
): ResourceStack {
  using attachments = new ResourceStack();
  for (const program of programs) {
    if (!NOT_ATTACHED.has(program.meaning.programType)) attachments.use(attach(program));
  }
  for (const each of structOps) attachments.use(attachStructOps(each));
  return attachments.move();
}

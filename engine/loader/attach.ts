import { PROGRAM_TYPE } from '../bytecode/index.js';
import { VespidError } from '../errors/index.js';
import {
  attachRawTracepoint,
  attachToCgroup,
  attachTracing,
  type BpfLink,
  Cgroup,
  cgroupRoot,
} from '../kernel/index.js';
import type { LoadedProgram } from './load-object.js';

/**
 * Attaches a loaded program where its section says. Cgroup programs go to `scope`, or to the root of the hierarchy.
 *
 * @throws VespidError OBJECT_UNSUPPORTED for a kind of program that is not attached yet, KERNEL_*
 */
export function attachProgram({ name, meaning, program }: LoadedProgram, scope: Cgroup | undefined): BpfLink {
  switch (meaning.programType) {
    case PROGRAM_TYPE.lsm:
    case PROGRAM_TYPE.tracing:
      return attachTracing(program);
    case PROGRAM_TYPE['raw-tracepoint']:
      return attachRawTracepoint(program, meaning.attachTarget ?? name);
    case PROGRAM_TYPE['cgroup-sock-addr']:
    case PROGRAM_TYPE['cgroup-sock']:
    case PROGRAM_TYPE['cgroup-skb']: {
      if (scope !== undefined) return attachToCgroup(program, scope, meaning.attachType);
      using root = Cgroup.open(cgroupRoot());
      return attachToCgroup(program, root, meaning.attachType);
    }
    default:
      throw new VespidError(
        'OBJECT_UNSUPPORTED',
        `program ${name}: a ${meaning.programTypeName} program cannot be attached yet`,
        {
          hint: 'supported are LSM, tracing, raw tracepoint and cgroup socket programs',
        },
      );
  }
}

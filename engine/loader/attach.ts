import { attachLoaded, type LoadedProgram } from '../bpf/index.js';
import { ATTACH_TYPE, PROGRAM_TYPE, type SectionMeaning } from '../bytecode/index.js';
import { Cgroup, cgroupRoot } from '../kernel/index.js';

const CGROUP_TYPES: ReadonlySet<number> = new Set([
  PROGRAM_TYPE['cgroup-skb'],
  PROGRAM_TYPE['cgroup-sock'],
  PROGRAM_TYPE['cgroup-sock-addr'],
  PROGRAM_TYPE['cgroup-sysctl'],
  PROGRAM_TYPE['cgroup-sockopt'],
  PROGRAM_TYPE['cgroup-device'],
  PROGRAM_TYPE['sock-ops'],
]);

/** Whether a program runs only for what is in the cgroup that it is attached to. */
export function attachesToCgroup({ programType, attachType }: SectionMeaning): boolean {
  return CGROUP_TYPES.has(programType) || attachType === ATTACH_TYPE['lsm-cgroup'];
}

/**
 * Attaches a loaded program where its section says. Cgroup programs go to `scope`, or to the root of the hierarchy.
 *
 * @throws VespidError ATTACH_UNSUPPORTED for a program whose section does not say where it goes, KERNEL_*
 */
export function attachProgram(loaded: LoadedProgram, scope: Cgroup | undefined): Disposable {
  if (scope !== undefined || !attachesToCgroup(loaded.meaning))
    return attachLoaded(loaded, { cgroup: scope });
  using root = Cgroup.open(cgroupRoot());
  return attachLoaded(loaded, { cgroup: root });
}

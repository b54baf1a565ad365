import { attachLoaded, type LoadedProgram } from '../bpf/index.js';
import { Cgroup, cgroupRoot } from '../kernel/index.js';

/**
 * Attaches a loaded program where its section says. Cgroup programs go to `scope`, or to the root of the hierarchy.
 *
 * @throws VespidError ATTACH_UNSUPPORTED for a program whose section does not say where it goes, KERNEL_*
 */
export function attachProgram(loaded: LoadedProgram, scope: Cgroup | undefined): Disposable {
  if (scope !== undefined || !loaded.section.includes('cgroup'))
    return attachLoaded(loaded, { cgroup: scope });
  using root = Cgroup.open(cgroupRoot());
  return attachLoaded(loaded, { cgroup: root });
}

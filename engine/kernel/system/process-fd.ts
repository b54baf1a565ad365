import { pidfdOpen } from './libc.js';
import { OwnedFd } from './owned-fd.js';

/**
 * A descriptor of a process (pidfd_open(2)): the key of task storage.
 *
 * @throws VespidError KERNEL_CALL_FAILED: ESRCH when there is no such process
 */
export function openProcess(pid: number): OwnedFd {
  return new OwnedFd(pidfdOpen(pid));
}

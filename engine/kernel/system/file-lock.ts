import { errnoName, kernelCallError, tryLockSystemCall } from './libc.js';

/**
 * Takes the exclusive lock of an open file, if no other open file description has it. The kernel holds it until the
 * descriptor, and every copy of it, is closed: the end of the process, however sudden, gives it back.
 *
 * @returns false when another holds it
 * @throws VespidError KERNEL_CALL_FAILED, on a file system without locks for example
 */
export function tryLockFile(fd: number): boolean {
  const result = tryLockSystemCall(fd);
  if ('value' in result) return true;
  if (errnoName(result.errno) === 'EAGAIN' || errnoName(result.errno) === 'EINTR') return false;
  throw kernelCallError('flock', result.errno);
}

import { readlinkSync, unlinkSync } from 'node:fs';
import { VespidError } from '../../errors/index.js';
import { bpfError } from '../commands/bpf-command.js';
import { openPinnedObject, pinObject } from '../commands/object-commands.js';
import { errnoName } from '../system/libc.js';
import { OwnedFd } from '../system/owned-fd.js';

/**
 * BPF_OBJ_PIN: gives an object a name in a bpffs (mounted at /sys/fs/bpf), by which it outlives this process.
 *
 * @throws VespidError PIN_EXISTS, KERNEL_PERMISSION when the directory is of no bpffs, KERNEL_CALL_FAILED
 */
export function pin(fd: number, path: string, subject: string): void {
  try {
    pinObject(fd, path, subject);
  } catch (cause) {
    if (!(cause instanceof VespidError) || cause.details?.['errnoName'] !== 'EEXIST') throw cause;
    throw new VespidError('PIN_EXISTS', `${subject} cannot be pinned: there is a ${path} already`, {
      cause,
      hint: 'open what is pinned there, or remove it',
    });
  }
}

/** Removes the name; the object lives on while anything else holds it. Gives false when there was none. */
export function unpin(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (cause) {
    // Node's errors carry the system's name in `code`.
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw new VespidError('KERNEL_CALL_FAILED', `the pin ${path} cannot be removed`, { cause });
  }
}

/**
 * BPF_OBJ_GET, for an object of one kind.
 *
 * @throws VespidError PIN_NOT_FOUND, PIN_MISMATCH for an object of another kind, KERNEL_PERMISSION,
 *   KERNEL_CALL_FAILED
 */
export function openPinned(path: string, kind: 'map' | 'prog' | 'link'): OwnedFd {
  const result = openPinnedObject(path);
  if ('errno' in result) {
    if (errnoName(result.errno) !== 'ENOENT') throw bpfError('OBJ_GET', result.errno, `the pin ${path}`);
    throw new VespidError('PIN_NOT_FOUND', `nothing is pinned at ${path}`, { details: { path } });
  }
  using opened = new OwnedFd(result.value);
  const actual = kindOf(opened.fd);
  if (actual === kind) return new OwnedFd(opened.release());
  throw new VespidError('PIN_MISMATCH', `expected a ${kind} at ${path}, found a ${actual}`, {
    details: { path, expected: kind, actual },
  });
}

/** The kernel names the files of its objects `bpf-map`, `bpf-prog`, `bpf_link` (anon_inode_getfd calls). */
function kindOf(fd: number): string {
  return (/anon_inode:\[?bpf[-_]?(\w*)/.exec(readlinkSync(`/proc/self/fd/${fd}`)) ?? [])[1] ?? 'file';
}

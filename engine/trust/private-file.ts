import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasSystemCode, VespidError } from '../errors/index.js';
import { unreadableState, unsafeState } from './state-file-errors.js';

/** Permission bits by which others than the owner could change a file, or swap it in its directory. */
const WRITABLE_BY_OTHERS = 0o022;
/** In a sticky directory, like /tmp, only its owner can rename or remove a file. */
const STICKY = 0o1000;

/**
 * Opens a file that nobody but its owner can have put there or changed: a regular file with one name, of this user or
 * root, which others may not write, in a directory of which the same holds. What was checked is the open file, so that
 * none can be swapped in between.
 *
 * @param flags of open(2), beside O_NOFOLLOW and O_NONBLOCK
 * @returns the descriptor, which the caller owns; undefined when there is no such file
 * @throws VespidError TRUST_STATE_UNSAFE, TRUST_STATE_UNREADABLE
 */
export function openPrivateFile(path: string, flags: number): number | undefined {
  const directory = dirname(path);
  let fd: number;
  try {
    requireDirectoryOfOwner(directory, statSync(directory));
    // O_NONBLOCK: a pipe that waits for its other end is refused below instead.
    fd = openSync(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  } catch (cause) {
    if (cause instanceof VespidError) throw cause;
    if (hasSystemCode(cause, 'ENOENT')) return undefined;
    if (hasSystemCode(cause, 'ELOOP')) throw unsafeState(path, 'a file itself, found a link');
    throw unreadableState(path, cause);
  }
  try {
    requireFileOfOwner(path, fstatSync(fd));
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * The bytes of a private file.
 *
 * @returns undefined when there is no such file
 * @throws VespidError TRUST_STATE_UNSAFE, TRUST_STATE_UNREADABLE
 */
export function readPrivateFile(path: string, maxBytes: number): Uint8Array | undefined {
  const fd = openPrivateFile(path, constants.O_RDONLY);
  if (fd === undefined) return undefined;
  try {
    const bytes = new Uint8Array(maxBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = readSync(fd, bytes, length, bytes.length - length, null);
    }
    if (length > maxBytes) throw unreadableState(path, `it has more than ${maxBytes} bytes`);
    return bytes.slice(0, length);
  } catch (cause) {
    if (cause instanceof VespidError) throw cause;
    throw unreadableState(path, cause);
  } finally {
    closeSync(fd);
  }
}

function requireFileOfOwner(path: string, status: Stats): void {
  if (!status.isFile()) throw unsafeState(path, 'a regular file, found another kind');
  // A second name could lie in a directory of somebody else.
  if (status.nlink > 1) throw unsafeState(path, `a file with one name, found one with ${status.nlink}`);
  requireOwner(path, status);
  if ((status.mode & WRITABLE_BY_OTHERS) !== 0) {
    throw unsafeState(path, `a file that only its owner may write, found mode ${octal(status)}`);
  }
}

function requireDirectoryOfOwner(path: string, status: Stats): void {
  if (!status.isDirectory()) throw unsafeState(path, 'a directory, found another kind');
  const swappable = (status.mode & WRITABLE_BY_OTHERS) !== 0 && (status.mode & STICKY) === 0;
  if (swappable) {
    throw unsafeState(path, `a directory that only its owner may write, found mode ${octal(status)}`);
  }
  requireOwner(path, status);
}

function requireOwner(path: string, { uid }: Stats): void {
  const user = process.geteuid?.() ?? 0;
  if (uid === 0 || uid === user) return;
  throw unsafeState(path, `user ${user} or root as its owner, found user ${uid}`);
}

function octal({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

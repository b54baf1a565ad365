import { closeSync, constants, fstatSync, statSync } from 'node:fs';
import { hasSystemCode, VespidError } from '../errors/index.js';
import { tryLockFile } from '../kernel/index.js';
import { openPrivateFile } from './private-file.js';
import { unwritableState } from './state-file-errors.js';

/** Writers hold the lock for one small write; whoever holds it for longer hangs. */
const PATIENCE_MS = 10_000;
const PAUSE_MS = 10;

/**
 * Runs `body` while no other process writes the state: under flock(2) of a file beside it, which is never removed. The
 * kernel gives the lock back with the process, so that one that was killed locks nobody out.
 *
 * It blocks the event loop while it waits: what is written must be on the disk before the caller goes on.
 *
 * @throws VespidError TRUST_STATE_BUSY, TRUST_STATE_UNSAFE, TRUST_STATE_UNWRITABLE, and what `body` throws
 */
export function withStateLock<Result>(stateFile: string, body: () => Result): Result {
  const path = `${stateFile}.lock`;
  const fd = takeLock(path, Date.now() + PATIENCE_MS);
  try {
    return body();
  } finally {
    closeSync(fd);
  }
}

function takeLock(path: string, deadlineMs: number): number {
  for (;;) {
    const fd = openLockFile(path);
    if (isLocked(fd, path)) return fd;
    closeSync(fd);
    if (Date.now() >= deadlineMs) {
      throw new VespidError('TRUST_STATE_BUSY', `${path} was held by another process for ${PATIENCE_MS} ms`, {
        hint: `find out who holds it (fuser ${path}), and try again`,
      });
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  }
}

function openLockFile(path: string): number {
  let fd: number | undefined;
  try {
    fd = openPrivateFile(path, constants.O_RDWR | constants.O_CREAT);
  } catch (cause) {
    if (cause instanceof VespidError && cause.code === 'TRUST_STATE_UNREADABLE') {
      throw unwritableState(path, cause.cause);
    }
    throw cause;
  }
  if (fd === undefined) throw unwritableState(path, 'its directory does not exist');
  return fd;
}

/** The lock counts only if the file still has the name: somebody may have removed it meanwhile. */
function isLocked(fd: number, path: string): boolean {
  try {
    if (!tryLockFile(fd)) return false;
    const [held, named] = [fstatSync(fd), statSync(path)];
    return held.ino === named.ino && held.dev === named.dev;
  } catch (cause) {
    if (hasSystemCode(cause, 'ENOENT')) return false;
    closeSync(fd);
    throw unwritableState(path, cause);
  }
}

import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** The system calls that replace a file. A parameter, so that a test can end the world before each of them. */
export interface FileCalls {
  readonly open: (path: string, flags: number, mode?: number) => number;
  readonly write: (fd: number, bytes: Uint8Array) => number;
  readonly sync: (fd: number) => void;
  readonly close: (fd: number) => void;
  readonly rename: (from: string, to: string) => void;
  /** Removes a file; one that is not there is no error. */
  readonly remove: (path: string) => void;
}

export const FILE_CALLS: FileCalls = {
  open: openSync,
  write: writeSync,
  sync: fsyncSync,
  close: closeSync,
  rename: renameSync,
  remove: (path) => rmSync(path, { force: true }),
};

const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;

/**
 * Replaces a file so that at every moment, also after a power cut, its name stands for the whole old or the whole new
 * content: written and synced beside it, renamed over it (rename(2) is atomic), and the directory synced, without
 * which the rename itself may be lost. When this returns, the new content is on the disk.
 *
 * The name of the new file is fixed: the caller holds a lock, so one that is there already is left from a crash.
 *
 * @throws the system's error; the file is then as it was, or, if only the last sync failed, new
 */
export function replaceDurably(path: string, bytes: Uint8Array, calls: FileCalls = FILE_CALLS): void {
  const staged = `${path}.new`;
  calls.remove(staged);
  try {
    withOpen(calls, calls.open(staged, CREATE, 0o600), (fd) => {
      for (let written = 0; written < bytes.length; ) written += calls.write(fd, bytes.subarray(written));
      calls.sync(fd);
    });
    calls.rename(staged, path);
  } catch (error) {
    calls.remove(staged);
    throw error;
  }
  withOpen(calls, calls.open(dirname(path), DIRECTORY), calls.sync);
}

function withOpen(calls: FileCalls, fd: number, use: (fd: number) => void): void {
  try {
    use(fd);
  } finally {
    calls.close(fd);
  }
}

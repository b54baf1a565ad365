import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { reasonOf, VespidError } from '../errors/index.js';
import { wrongKind } from './input-file.js';

/**
 * Writes a file whole or not at all: into a new file beside it, then by rename. What had the name is replaced.
 *
 * @throws VespidError INPUT_NOT_FOUND when the directory is missing, OUTPUT_FAILED
 */
export function replaceFile(path: string, content: Uint8Array | string, mode: number): void {
  const staged = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    createFile(staged, content, mode);
    attempt(path, () => renameSync(staged, path));
  } finally {
    rmSync(staged, { force: true });
  }
}

/**
 * Writes a file that must not be there yet; not even a dangling link may have its name (O_EXCL).
 *
 * @throws VespidError OUTPUT_EXISTS, INPUT_NOT_FOUND, OUTPUT_FAILED
 */
export function createFile(path: string, content: Uint8Array | string, mode: number): void {
  const fd = attempt(path, () => openSync(path, 'wx', mode));
  try {
    attempt(path, () => {
      // A umask may have taken bits away.
      fchmodSync(fd, mode);
      writeFileSync(fd, content);
      fsyncSync(fd);
    });
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** @throws VespidError INPUT_WRONG_KIND, OUTPUT_FAILED */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    const error = explain(path, cause);
    // mkdir -p has nothing against a directory.
    throw error.code === 'OUTPUT_EXISTS' ? wrongKind(path, 'a directory', 'a file') : error;
  }
}

function attempt<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (cause) {
    throw explain(path, cause);
  }
}

function explain(path: string, cause: unknown): VespidError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  switch (code) {
    case 'EEXIST':
      return new VespidError('OUTPUT_EXISTS', `${path}: expected nothing there yet, found a file`, { cause });
    case 'ENOTDIR':
      return wrongKind(path, 'a path below directories', 'a file on the way');
    case 'EISDIR':
      return wrongKind(path, 'a file', 'a directory');
    case 'ENOENT':
      return new VespidError('INPUT_NOT_FOUND', `${path}: there is no directory ${dirname(path)}`, {
        hint: 'create it first',
        cause,
      });
    default:
      return new VespidError('OUTPUT_FAILED', `${path} cannot be written: ${reasonOf(cause)}`, {
        hint: 'check the permissions of the directory and the space on its disk',
        cause,
      });
  }
}

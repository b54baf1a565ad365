import { INDEX_PATH, LAYOUT_PATH } from '../../signing/index.js';
import { reasonOf, VespidError } from '../errors/index.js';

/** Refusals that every form of a bundle has. */

export function bundleNotFound(path: string, cause: unknown): VespidError {
  return new VespidError('INPUT_NOT_FOUND', `expected a bundle at ${path}, found nothing`, {
    hint: 'give the bundle that `vespid sign --out` wrote',
    cause,
  });
}

export function notABundle(path: string): VespidError {
  return new VespidError(
    'BUNDLE_NOT_A_BUNDLE',
    `${path}: expected a bundle, a directory or tar file with ${LAYOUT_PATH} and ${INDEX_PATH}, found something else`,
    { hint: 'give the bundle that `vespid sign --out` wrote; unpack it first if it is compressed' },
  );
}

export function notRegular(path: string): VespidError {
  return new VespidError('BUNDLE_FILE_NOT_REGULAR', `${path}: expected a regular file, found another kind`, {
    hint: 'a bundle holds no symlinks, pipes, sockets or devices; copy it with its links resolved (cp -rL)',
  });
}

/** @param path inside the bundle; it may hold anything */
export function unexpectedPath(bundle: string, path: string): VespidError {
  return new VespidError(
    'BUNDLE_FILE_UNEXPECTED',
    `${bundle}: expected only ${LAYOUT_PATH}, ${INDEX_PATH} and blobs/sha256/<digest>, found ${JSON.stringify(path)}`,
    { hint: 'remove it if you put it there; otherwise fetch the bundle again from its source' },
  );
}

export function fileChanged(path: string, expectedBytes: number): VespidError {
  return new VespidError(
    'BUNDLE_FILE_CHANGED',
    `${path}: expected ${expectedBytes} bytes as listed, found others`,
    {
      hint: 'somebody writes to the bundle while it is read; verify it again when that is done',
    },
  );
}

export function unreadableBundle(path: string, cause: unknown): VespidError {
  return new VespidError('INPUT_UNREADABLE', `could not read ${path}: ${reasonOf(cause)}`, {
    hint: 'check the permissions of the bundle and its files',
    cause,
  });
}

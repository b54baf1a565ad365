import { constants, type Dirent } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BUNDLE_LIMITS, INDEX_PATH, isBundlePath, LAYOUT_PATH } from '../../signing/index.js';
import { VespidError } from '../errors/index.js';
import { describeSystemError, hasSystemCode } from './system-error.js';

/** Bounds on what is read into memory before anything is verified. */
export interface ReadBundleLimits {
  readonly maxFiles: number;
  readonly maxFileBytes: number;
  readonly maxTotalBytes: number;
}

/** The only directories of an OCI layout with SHA-256 blobs. */
const BUNDLE_DIRECTORIES = new Set(['blobs', 'blobs/sha256']);

/**
 * Reads the files of a bundle directory into memory, by path relative to it. Nothing is parsed. The directory
 * itself may be reached through a symlink; inside it only regular files and the two directories of a layout
 * are read, so that neither a link, a pipe nor a device can redirect or stall the reader.
 *
 * @throws VespidError INPUT_NOT_FOUND, INPUT_UNREADABLE, BUNDLE_NOT_A_BUNDLE, BUNDLE_FILE_NOT_REGULAR,
 *   BUNDLE_FILE_UNEXPECTED, BUNDLE_TOO_LARGE
 */
export async function readBundle(
  directory: string,
  limits: ReadBundleLimits = BUNDLE_LIMITS,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const paths = await listFiles(directory, limits.maxFiles);
  const files = new Map<string, Uint8Array>();
  let remainingBytes = limits.maxTotalBytes;
  for (const path of paths) {
    const allowedBytes = Math.min(limits.maxFileBytes, remainingBytes);
    const bytes = await readRegularFile(join(directory, path), allowedBytes);
    remainingBytes -= bytes.length;
    files.set(path, bytes);
  }
  return files;
}

/** Paths of all files, relative to the directory, in order. */
async function listFiles(directory: string, maxFiles: number): Promise<readonly string[]> {
  const top = await listDirectory(directory);
  if (!top.some(({ name }) => name === LAYOUT_PATH || name === INDEX_PATH)) throw notABundle(directory);
  const paths: string[] = [];
  const pending = top.map((entry) => ({ entry, path: entry.name }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { entry, path } = next;
    if (entry.isDirectory() && BUNDLE_DIRECTORIES.has(path)) {
      const children = await listDirectory(join(directory, path));
      pending.push(...children.map((child) => ({ entry: child, path: `${path}/${child.name}` })));
    } else {
      requireBundleFile(entry, path, directory);
      paths.push(path);
    }
    if (paths.length > maxFiles) throw tooLarge(directory, `${maxFiles} files`);
  }
  return paths.sort();
}

function requireBundleFile(entry: Dirent, path: string, directory: string): void {
  if (!entry.isFile() && !entry.isDirectory()) throw notRegular(join(directory, path));
  if (entry.isFile() && isBundlePath(path)) return;
  throw new VespidError(
    'BUNDLE_FILE_UNEXPECTED',
    `${directory}: expected only ${LAYOUT_PATH}, ${INDEX_PATH} and blobs/sha256/<digest>, found ${JSON.stringify(path)}`,
    { hint: 'remove it if you put it there; otherwise fetch the bundle again from its source' },
  );
}

async function listDirectory(path: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (cause) {
    if (hasSystemCode(cause, 'ENOENT')) {
      throw new VespidError('INPUT_NOT_FOUND', `expected a bundle at ${path}, found nothing`, {
        hint: 'give the directory that `vespid sign --out` wrote',
        cause,
      });
    }
    if (hasSystemCode(cause, 'ENOTDIR')) throw notABundle(path);
    throw unreadable(path, cause);
  }
}

async function readRegularFile(path: string, maxBytes: number): Promise<Uint8Array> {
  // O_NOFOLLOW and O_NONBLOCK: the entry may have become a link or a pipe since it was listed.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  let handle: FileHandle;
  try {
    handle = await open(path, flags);
  } catch (cause) {
    if (hasSystemCode(cause, 'ELOOP') || hasSystemCode(cause, 'ENXIO')) throw notRegular(path);
    throw unreadable(path, cause);
  }
  try {
    if (!(await handle.stat()).isFile()) throw notRegular(path);
    return await readAtMost(handle, path, maxBytes);
  } finally {
    await handle.close();
  }
}

/** Counts the bytes that really come, because the size of a file can change while it is read. */
async function readAtMost(handle: FileHandle, path: string, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let totalBytes = 0;
  for (;;) {
    const chunk = new Uint8Array(64 * 1024);
    const { bytesRead } = await handle.read(chunk).catch((cause: unknown) => {
      throw unreadable(path, cause);
    });
    if (bytesRead === 0) return Uint8Array.from(Buffer.concat(chunks));
    totalBytes += bytesRead;
    if (totalBytes > maxBytes) throw tooLarge(path, `${maxBytes} bytes`);
    chunks.push(chunk.subarray(0, bytesRead));
  }
}

function notABundle(directory: string): VespidError {
  return new VespidError(
    'BUNDLE_NOT_A_BUNDLE',
    `${directory}: expected a bundle directory with ${LAYOUT_PATH} and ${INDEX_PATH}, found something else`,
    { hint: 'give the directory that `vespid sign --out` wrote' },
  );
}

function notRegular(path: string): VespidError {
  return new VespidError('BUNDLE_FILE_NOT_REGULAR', `${path}: expected a regular file, found another kind`, {
    hint: 'a bundle holds no symlinks, pipes, sockets or devices; copy it with its links resolved (cp -rL)',
  });
}

function tooLarge(path: string, limit: string): VespidError {
  return new VespidError('BUNDLE_TOO_LARGE', `${path}: expected at most ${limit}, found more`, {
    hint: 'split the policies and objects over several bundles',
  });
}

function unreadable(path: string, cause: unknown): VespidError {
  return new VespidError('INPUT_UNREADABLE', `could not read ${path}: ${describeSystemError(cause)}`, {
    hint: 'check the permissions of the bundle directory and its files',
    cause,
  });
}

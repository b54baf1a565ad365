import type { Dirent } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BUNDLE_LIMITS,
  type BundleSource,
  INDEX_PATH,
  isBundlePath,
  LAYOUT_PATH,
} from '../../signing/index.js';
import { hasSystemCode, VespidError } from '../errors/index.js';
import {
  bundleNotFound,
  notABundle,
  notRegular,
  unexpectedPath,
  unreadableBundle,
} from './bundle-refusals.js';
import { readRegularFile } from './regular-file.js';

/** The only directories of an OCI layout with SHA-256 blobs. */
const BUNDLE_DIRECTORIES = new Set(['blobs', 'blobs/sha256']);

/**
 * A bundle in a directory. The directory itself may be reached through a symlink; inside it only regular files and the
 * two directories of a layout are read, so that neither a link, a pipe nor a device can redirect or stall the reader.
 */
export class DirectoryBundle implements BundleSource {
  readonly #sizes = new Map<string, number>();

  constructor(readonly label: string) {}

  /**
   * Lists paths and sizes; opens no file.
   *
   * @throws VespidError INPUT_NOT_FOUND, INPUT_UNREADABLE, BUNDLE_NOT_A_BUNDLE, BUNDLE_FILE_NOT_REGULAR,
   *   BUNDLE_FILE_UNEXPECTED, BUNDLE_TOO_LARGE
   */
  async list(): Promise<ReadonlyMap<string, number>> {
    for (const path of await listFiles(this.label)) {
      this.#sizes.set(path, await sizeOfRegularFile(join(this.label, path)));
    }
    return this.#sizes;
  }

  /**
   * Opens a file once and reads it. What comes is as long as it was listed, or refused.
   *
   * @throws VespidError INPUT_UNREADABLE, BUNDLE_FILE_NOT_REGULAR, BUNDLE_FILE_CHANGED
   */
  async read(path: string): Promise<Uint8Array> {
    const size = this.#sizes.get(path);
    if (size === undefined) throw new VespidError('INTERNAL', `${path} was read, which was not listed`);
    return readRegularFile(join(this.label, path), size);
  }
}

/** Paths of all files, relative to the directory, in order. */
async function listFiles(directory: string): Promise<readonly string[]> {
  const top = await listDirectory(directory);
  if (!top.some(({ name }) => name === LAYOUT_PATH || name === INDEX_PATH)) throw notABundle(directory);
  const paths: string[] = [];
  const pending = top.map((entry) => ({ entry, path: entry.name }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { entry, path } = next;
    if (entry.isDirectory() && BUNDLE_DIRECTORIES.has(path)) {
      const children = await listDirectory(join(directory, path));
      for (const child of children) pending.push({ entry: child, path: `${path}/${child.name}` });
    } else {
      requireBundleFile(entry, path, directory);
      paths.push(path);
    }
    // Before a file is looked at.
    if (paths.length > BUNDLE_LIMITS.maxFiles) throw tooManyFiles(directory);
  }
  return paths.sort();
}

function requireBundleFile(entry: Dirent, path: string, directory: string): void {
  if (!entry.isFile() && !entry.isDirectory()) throw notRegular(join(directory, path));
  if (entry.isFile() && isBundlePath(path)) return;
  throw unexpectedPath(directory, path);
}

async function sizeOfRegularFile(path: string): Promise<number> {
  const status = await lstat(path).catch((cause: unknown) => {
    throw unreadableBundle(path, cause);
  });
  if (!status.isFile()) throw notRegular(path);
  return status.size;
}

/** The entries of a directory, one more than a bundle can have at most: there may be millions. */
async function listDirectory(path: string): Promise<readonly Dirent[]> {
  try {
    const entries: Dirent[] = [];
    for await (const entry of await opendir(path)) {
      entries.push(entry);
      if (entries.length > BUNDLE_LIMITS.maxFiles + BUNDLE_DIRECTORIES.size) break;
    }
    return entries;
  } catch (cause) {
    if (hasSystemCode(cause, 'ENOENT')) throw bundleNotFound(path, cause);
    if (hasSystemCode(cause, 'ENOTDIR')) throw notABundle(path);
    throw unreadableBundle(path, cause);
  }
}

function tooManyFiles(directory: string): VespidError {
  const expected = `expected at most ${BUNDLE_LIMITS.maxFiles} files`;
  return new VespidError('BUNDLE_TOO_LARGE', `${directory}: ${expected}, found more`, {
    hint: 'split the policies and objects over several bundles',
  });
}

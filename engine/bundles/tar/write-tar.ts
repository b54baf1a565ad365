import { type FileHandle, lstat, open, rename } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { hasSystemCode, VespidError } from '../../errors/index.js';
import {
  occupied,
  orUnwritable,
  type PutFile,
  syncDirectory,
  withStagingDirectory,
} from '../output-place.js';
import { TarBundle } from './tar-bundle.js';
import { encodeTarHeader, TAR_BLOCK_BYTES } from './tar-header.js';
import { tarLayout } from './tar-layout.js';

/**
 * Writes a bundle as one tar file, whole or not at all: into a new file beside the target, then by rename. What is
 * there already must be a bundle in a tar file. The same files give the same bytes, in whatever order they are put,
 * with fixed owner, mode and time.
 *
 * @param sizes in bytes, of every file, by path
 * @param fill puts the files; what it throws ends it, and nothing remains
 * @throws VespidError BUNDLE_OUTPUT_OCCUPIED, INPUT_NOT_FOUND, INPUT_UNREADABLE
 */
export async function writeTar<Result>(
  path: string,
  sizes: ReadonlyMap<string, number>,
  fill: (put: PutFile) => Promise<Result>,
): Promise<Result> {
  const target = resolve(path);
  await requireReplaceable(target);
  return withStagingDirectory(target, {
    fill: (stagingDirectory) => writeDurably(join(stagingDirectory, 'new'), sizes, target, fill),
    place: async (stagingDirectory) => {
      // Filling may have taken minutes.
      await requireReplaceable(target);
      await orUnwritable(target, async () => {
        await rename(join(stagingDirectory, 'new'), target);
        await syncDirectory(dirname(target));
      });
    },
  });
}

async function requireReplaceable(target: string): Promise<void> {
  try {
    if (!(await lstat(target)).isFile()) throw occupied(target, 'something that is not a file');
    await new TarBundle(target).list();
  } catch (cause) {
    if (hasSystemCode(cause, 'ENOENT')) return;
    if (cause instanceof VespidError && cause.code === 'BUNDLE_OUTPUT_OCCUPIED') throw cause;
    throw occupied(target, 'another file', cause);
  }
}

async function writeDurably<Result>(
  staged: string,
  sizes: ReadonlyMap<string, number>,
  target: string,
  fill: (put: PutFile) => Promise<Result>,
): Promise<Result> {
  const { headerOffsets, byteSize } = tarLayout(sizes);
  const handle = await orUnwritable(target, () => open(staged, 'wx', 0o644));
  try {
    const result = await fill(async (path, bytes) => {
      const headerOffset = headerOffsets.get(path);
      if (headerOffset === undefined) throw new VespidError('INTERNAL', `${path} has no place in ${target}`);
      const header = encodeTarHeader({ path, kind: 'file', byteSize: bytes.length });
      await orUnwritable(target, async () => {
        await writeAt(handle, header, headerOffset);
        await writeAt(handle, bytes, headerOffset + TAR_BLOCK_BYTES);
      });
    });
    // What nothing was written to is zero: the ends of files, and the end of the whole.
    await orUnwritable(target, async () => {
      await handle.truncate(byteSize);
      await handle.sync();
    });
    return result;
  } finally {
    await handle.close();
  }
}

async function writeAt(handle: FileHandle, bytes: Uint8Array, byteOffset: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const rest = bytes.length - written;
    written += (await handle.write(bytes, written, rest, byteOffset + written)).bytesWritten;
  }
}

import { lstat, open, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type BundleFiles, isBundlePath } from '../../../signing/index.js';
import { hasSystemCode, VespidError } from '../../errors/index.js';
import { makeStagingDirectory, occupied, syncDirectory, unwritable } from '../output-place.js';
import { TarBundle } from './tar-bundle.js';
import { encodeTar } from './tar-writer.js';

/**
 * Writes a bundle as one tar file, whole or not at all: into a new file beside the target, then by rename. What is
 * there already must be a bundle in a tar file.
 *
 * @throws VespidError BUNDLE_OUTPUT_OCCUPIED, INPUT_NOT_FOUND, INPUT_UNREADABLE
 */
export async function writeTar(path: string, files: BundleFiles): Promise<void> {
  const target = resolve(path);
  await requireReplaceable(target);
  const stagingDirectory = await makeStagingDirectory(target);
  try {
    const staged = join(stagingDirectory, 'new');
    await writeDurably(staged, files);
    await rename(staged, target);
    await syncDirectory(dirname(target));
  } catch (cause) {
    if (cause instanceof VespidError) throw cause;
    throw unwritable(path, cause);
  } finally {
    await rm(stagingDirectory, { recursive: true, force: true });
  }
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

async function writeDurably(path: string, files: BundleFiles): Promise<void> {
  const stray = [...files.keys()].find((name) => !isBundlePath(name));
  if (stray !== undefined) throw new VespidError('INTERNAL', `a bundle was built with the path ${stray}`);
  const handle = await open(path, 'wx', 0o644);
  try {
    for (const part of encodeTar(files)) await handle.writeFile(part);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

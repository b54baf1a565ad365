import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type BundleFiles, isBundlePath } from '../../signing/index.js';
import { hasSystemCode, VespidError } from '../errors/index.js';
import { DirectoryBundle } from './directory-bundle.js';
import { makeStagingDirectory, occupied, syncDirectory, unwritable } from './output-place.js';

/**
 * Writes a bundle directory whole or not at all: into a new directory beside the target, then by rename. A
 * target that already exists must be an empty directory or a bundle, which is then replaced.
 *
 * @param files as createBundle gives them
 * @throws VespidError BUNDLE_OUTPUT_OCCUPIED, INPUT_NOT_FOUND, INPUT_UNREADABLE
 */
export async function writeDirectory(directory: string, files: BundleFiles): Promise<void> {
  const target = resolve(directory);
  const state = await examineTarget(target);
  const stagingDirectory = await makeStagingDirectory(target);
  try {
    const staged = join(stagingDirectory, 'new');
    await writeFiles(staged, files);
    await moveIntoPlace(staged, target, state, join(stagingDirectory, 'old'));
    await syncDirectory(dirname(target));
  } catch (cause) {
    if (cause instanceof VespidError) throw cause;
    throw unwritable(directory, cause);
  } finally {
    await rm(stagingDirectory, { recursive: true, force: true });
  }
}

type TargetState = 'absent' | 'replaceable';

async function examineTarget(target: string): Promise<TargetState> {
  try {
    const status = await lstat(target);
    if (!status.isDirectory()) throw occupied(target, 'something that is not a directory');
    if ((await readdir(target)).length > 0) await new DirectoryBundle(target).list();
    return 'replaceable';
  } catch (cause) {
    if (hasSystemCode(cause, 'ENOENT')) return 'absent';
    if (cause instanceof VespidError && cause.code === 'BUNDLE_OUTPUT_OCCUPIED') throw cause;
    throw occupied(target, 'other files', cause);
  }
}

async function writeFiles(root: string, files: BundleFiles): Promise<void> {
  await mkdir(join(root, 'blobs', 'sha256'), { recursive: true });
  for (const [path, bytes] of files) {
    if (!isBundlePath(path)) throw new VespidError('INTERNAL', `a bundle was built with the path ${path}`);
    await writeDurably(join(root, path), bytes);
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(path, 'wx', 0o644);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** rename(2) does not replace a directory that has entries, so an old bundle steps aside, and back on failure. */
async function moveIntoPlace(
  staged: string,
  target: string,
  state: TargetState,
  aside: string,
): Promise<void> {
  if (state === 'absent') return rename(staged, target);
  await rename(target, aside);
  try {
    await rename(staged, target);
  } catch (cause) {
    await rename(aside, target);
    throw cause;
  }
}

import { lstat, mkdir, open, readdir, rename } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { hasSystemCode, VespidError } from '../errors/index.js';
import { DirectoryBundle } from './directory-bundle.js';
import { occupied, orUnwritable, type PutFile, syncDirectory, withStagingDirectory } from './output-place.js';

/**
 * Writes a bundle directory whole or not at all: into a new directory beside the target, then by rename. A
 * target that already exists must be an empty directory or a bundle, which is then replaced.
 *
 * @param fill puts the files; what it throws ends it, and nothing remains
 * @throws VespidError BUNDLE_OUTPUT_OCCUPIED, INPUT_NOT_FOUND, INPUT_UNREADABLE
 */
export async function writeDirectory<Result>(
  directory: string,
  fill: (put: PutFile) => Promise<Result>,
): Promise<Result> {
  const target = resolve(directory);
  await examineTarget(target);
  return withStagingDirectory(target, {
    fill: async (stagingDirectory) => {
      const staged = join(stagingDirectory, 'new');
      await orUnwritable(target, () => mkdir(join(staged, 'blobs', 'sha256'), { recursive: true }));
      return fill((path, bytes) => orUnwritable(target, () => writeDurably(join(staged, path), bytes)));
    },
    place: async (stagingDirectory) => {
      // Filling may have taken minutes.
      const state = await examineTarget(target);
      await orUnwritable(target, async () => {
        await moveIntoPlace(join(stagingDirectory, 'new'), target, state, join(stagingDirectory, 'old'));
        await syncDirectory(dirname(target));
      });
    },
  });
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

import { mkdtemp, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasSystemCode, reasonOf, VespidError } from '../errors/index.js';

/** Refuses to write over what somebody else may need. */
export function occupied(target: string, found: string, cause?: unknown): VespidError {
  return new VespidError(
    'BUNDLE_OUTPUT_OCCUPIED',
    `${target}: expected nothing, an empty directory or a bundle, found ${found}`,
    { hint: 'choose another --out, or remove what is there yourself', cause },
  );
}

/** Beside the target, so that the rename stays on one file system. */
export async function makeStagingDirectory(target: string): Promise<string> {
  try {
    return await mkdtemp(`${target}.tmp-`);
  } catch (cause) {
    const missing = hasSystemCode(cause, 'ENOENT');
    throw new VespidError(
      missing ? 'INPUT_NOT_FOUND' : 'INPUT_UNREADABLE',
      `could not write beside ${target}: ${reasonOf(cause)}`,
      {
        hint: missing ? `create ${dirname(target)} first` : 'check the permissions of that directory',
        cause,
      },
    );
  }
}

export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export function unwritable(target: string, cause: unknown): VespidError {
  return new VespidError('INPUT_UNREADABLE', `could not write ${target}: ${reasonOf(cause)}`, {
    hint: 'check the permissions of the output directory and the space on its disk',
    cause,
  });
}

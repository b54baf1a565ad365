import { rmSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hasSystemCode, reasonOf, VespidError } from '../errors/index.js';

/** Writes one file of a bundle that is not in its place yet; each path once. */
export type PutFile = (path: string, bytes: Uint8Array) => Promise<void>;

/** Refuses to write over what somebody else may need. */
export function occupied(target: string, found: string, cause?: unknown): VespidError {
  return new VespidError(
    'BUNDLE_OUTPUT_OCCUPIED',
    `${target}: expected nothing, an empty directory or a bundle, found ${found}`,
    { hint: 'choose another --out, or remove what is there yourself', cause },
  );
}

/** The two halves of writing something whole or not at all. */
export interface StagedWrite<Result> {
  /** Writes into the staging directory; may take minutes. A signal that ends the process removes what was written. */
  readonly fill: (stagingDirectory: string) => Promise<Result>;
  /** Moves it to where it belongs. */
  readonly place: (stagingDirectory: string) => Promise<void>;
}

/**
 * Makes a new directory beside the target, so that a rename stays on one file system, fills it, places what is in it,
 * and removes it with all that is left in it.
 */
export async function withStagingDirectory<Result>(
  target: string,
  { fill, place }: StagedWrite<Result>,
): Promise<Result> {
  const stagingDirectory = await makeStagingDirectory(target);
  try {
    const result = await removedOnSignal(stagingDirectory, () => fill(stagingDirectory));
    // From here on the directory may hold the older bundle, aside: no signal removes it.
    await place(stagingDirectory);
    return result;
  } finally {
    await rm(stagingDirectory, { recursive: true, force: true });
  }
}

const ENDING_SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** Runs `action`; a signal meanwhile removes the directory and then ends the process as it would have. */
async function removedOnSignal<Result>(directory: string, action: () => Promise<Result>): Promise<Result> {
  const forget = () => {
    for (const name of ENDING_SIGNALS) process.off(name, end);
  };
  const end = (signal: NodeJS.Signals) => {
    forget();
    try {
      rmSync(directory, { recursive: true, force: true });
    } finally {
      process.kill(process.pid, signal);
    }
  };
  for (const name of ENDING_SIGNALS) process.on(name, end);
  try {
    return await action();
  } finally {
    forget();
  }
}

async function makeStagingDirectory(target: string): Promise<string> {
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

/** @throws VespidError INPUT_UNREADABLE when the file system refuses */
export async function orUnwritable<Result>(target: string, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write();
  } catch (cause) {
    if (cause instanceof VespidError) throw cause;
    throw unwritable(target, cause);
  }
}

function unwritable(target: string, cause: unknown): VespidError {
  return new VespidError('INPUT_UNREADABLE', `could not write ${target}: ${reasonOf(cause)}`, {
    hint: 'check the permissions of the output directory and the space on its disk',
    cause,
  });
}

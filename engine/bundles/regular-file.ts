import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { hasSystemCode } from '../errors/index.js';
import { fileChanged, notRegular, unreadableBundle } from './bundle-refusals.js';

/**
 * Opens a regular file for reading: no symlink, and nothing that could stall or act when it is opened.
 *
 * @param links `follow` for a path that the user gave; `refuse` for one inside a bundle
 * @throws VespidError BUNDLE_FILE_NOT_REGULAR, INPUT_UNREADABLE
 */
export async function openRegularFile(
  path: string,
  links: 'refuse' | 'follow' = 'refuse',
): Promise<FileHandle> {
  // O_NONBLOCK: a pipe would wait for its writer.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (links === 'refuse' ? constants.O_NOFOLLOW : 0);
  const handle = await open(path, flags).catch((cause: unknown) => {
    if (hasSystemCode(cause, 'ELOOP') || hasSystemCode(cause, 'ENXIO')) throw notRegular(path);
    throw unreadableBundle(path, cause);
  });
  try {
    if ((await handle.stat()).isFile()) return handle;
    throw notRegular(path);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * The whole of a regular file of a known size.
 *
 * @throws VespidError BUNDLE_FILE_NOT_REGULAR, BUNDLE_FILE_CHANGED, INPUT_UNREADABLE
 */
export async function readRegularFile(path: string, byteSize: number): Promise<Uint8Array> {
  const handle = await openRegularFile(path);
  try {
    if ((await handle.stat()).size !== byteSize) throw fileChanged(path, byteSize);
    return await readExactly(handle, path, 0, byteSize);
  } finally {
    await handle.close();
  }
}

/** @throws VespidError BUNDLE_FILE_CHANGED when the file ends before, INPUT_UNREADABLE */
export async function readExactly(
  handle: FileHandle,
  path: string,
  byteOffset: number,
  byteLength: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(byteLength);
  let filled = 0;
  while (filled < byteLength) {
    const { bytesRead } = await handle
      .read(bytes, filled, byteLength - filled, byteOffset + filled)
      .catch((cause: unknown) => {
        throw unreadableBundle(path, cause);
      });
    if (bytesRead === 0) throw fileChanged(path, byteLength);
    filled += bytesRead;
  }
  return bytes;
}

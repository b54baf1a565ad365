import { stat } from 'node:fs/promises';
import type { BundleSource } from '../../signing/index.js';
import { hasSystemCode } from '../errors/index.js';
import { bundleNotFound, unreadableBundle } from './bundle-refusals.js';
import { DirectoryBundle } from './directory-bundle.js';
import { TarBundle } from './tar/tar-bundle.js';

/**
 * The bundle at a path: a directory, or one tar file. Nothing of it is trusted, and nothing read, before somebody asks
 * for it.
 *
 * @throws VespidError INPUT_NOT_FOUND, INPUT_UNREADABLE
 */
export async function openBundleSource(path: string): Promise<BundleSource> {
  const status = await stat(path).catch((cause: unknown) => {
    throw hasSystemCode(cause, 'ENOENT') ? bundleNotFound(path, cause) : unreadableBundle(path, cause);
  });
  return status.isDirectory() ? new DirectoryBundle(path) : new TarBundle(path);
}

import type { BundleFiles } from '../../signing/index.js';
import { writeTar } from './tar/write-tar.js';
import { writeDirectory } from './write-directory.js';

/** The ending by which somebody asks for one tar file instead of a directory. */
const TAR_ENDING = '.tar';

/**
 * Writes a bundle whole or not at all: as one tar file at a path that ends in `.tar`, else as a directory. What is
 * there already must be a bundle, which is then replaced.
 *
 * @param files as createBundle gives them
 * @throws VespidError BUNDLE_OUTPUT_OCCUPIED, INPUT_NOT_FOUND, INPUT_UNREADABLE
 */
export async function writeBundle(path: string, files: BundleFiles): Promise<void> {
  if (path.endsWith(TAR_ENDING)) await writeTar(path, files);
  else await writeDirectory(path, files);
}

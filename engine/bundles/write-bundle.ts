import { type BundleFiles, isBundlePath } from '../../signing/index.js';
import { VespidError } from '../errors/index.js';
import type { PutFile } from './output-place.js';
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
  const sizes = new Map([...files].map(([name, bytes]) => [name, bytes.length]));
  await writeBundleWith(path, sizes, async (put) => {
    for (const [name, bytes] of files) await put(name, bytes);
  });
}

/**
 * As {@link writeBundle}, for files that come one after another.
 *
 * @param sizes in bytes, of every file, by path
 * @param fill puts every file once, in any order; what it throws ends it, and nothing remains
 * @throws VespidError BUNDLE_OUTPUT_OCCUPIED, INPUT_NOT_FOUND, INPUT_UNREADABLE, and those of `fill`
 */
export async function writeBundleWith<Result>(
  path: string,
  sizes: ReadonlyMap<string, number>,
  fill: (put: PutFile) => Promise<Result>,
): Promise<Result> {
  const fillWhole = async (put: PutFile): Promise<Result> => {
    const missing = new Map(sizes);
    const result = await fill(async (name, bytes) => {
      if (!isBundlePath(name)) throw new VespidError('INTERNAL', `a bundle was built with the path ${name}`);
      await put(name, bytes);
      // A file of another size is still missing: no reader would find it where it is.
      if (missing.get(name) === bytes.length) missing.delete(name);
    });
    const [lost] = missing.keys();
    if (lost !== undefined) throw new VespidError('INTERNAL', `${path} would be a bundle without ${lost}`);
    return result;
  };
  return path.endsWith(TAR_ENDING)
    ? await writeTar(path, sizes, fillWhole)
    : await writeDirectory(path, fillWhole);
}

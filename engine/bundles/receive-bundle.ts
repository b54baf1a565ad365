import type { BundleSource } from '../../signing/index.js';
import { writeBundleWith } from './write-bundle.js';

/**
 * Writes a bundle while it is checked. What `check` reads is what is written, each file when it is read and then
 * forgotten, so that the largest file has to fit into memory and not the bundle; the source is not asked a second time,
 * when it could answer otherwise. The bundle is in its place only after `check` has returned: until then its files are
 * in a directory beside it, and are removed when `check` throws.
 *
 * @param path as in writeBundle
 * @param check reads every file of the bundle that it is given, and throws to refuse it
 * @throws VespidError BUNDLE_OUTPUT_OCCUPIED, INPUT_NOT_FOUND, INPUT_UNREADABLE, those of `check` and of the source;
 *   INTERNAL when `check` did not read every file
 */
export async function receiveBundle<Result>(
  path: string,
  source: BundleSource,
  check: (source: BundleSource) => Promise<Result>,
): Promise<Result> {
  const sizes = await source.list();
  return writeBundleWith(path, sizes, (put) =>
    check({
      label: source.label,
      list: async () => sizes,
      read: async (name) => {
        const bytes = await source.read(name);
        await put(name, bytes);
        return bytes;
      },
    }),
  );
}

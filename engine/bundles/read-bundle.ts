import type { BundleFiles, BundleSource } from '../../signing/index.js';

/**
 * Every file of a bundle, for those who send it on whole. Nothing is verified; let inspectBundle look at the source
 * before, which keeps it within limits.
 *
 * @throws VespidError those of the source
 */
export async function readBundle(source: BundleSource): Promise<BundleFiles> {
  const files = new Map<string, Uint8Array>();
  for (const path of (await source.list()).keys()) files.set(path, await source.read(path));
  return files;
}

import type { BundleSource } from '../../signing/index.js';
import { DirectoryBundle } from './directory-bundle.js';

/** The bundle at a path. Nothing of it is trusted, and nothing read, before somebody asks for it. */
export async function openBundleSource(path: string): Promise<BundleSource> {
  return new DirectoryBundle(path);
}

import { createRequire } from 'node:module';

/** Of the package that this file is part of, compiled or not. */
export function packageVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('vespid/package.json');
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest)
    return String(manifest.version);
  throw new Error('package.json has no version');
}

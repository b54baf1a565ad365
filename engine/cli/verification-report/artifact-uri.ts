import { isAbsolute, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ArtifactLocation } from 'sarif';

/** The name that SARIF's readers give to the root of the checkout; code scanning resolves it. */
const SOURCE_ROOT = '%SRCROOT%';

/**
 * Where a file or bundle is, as SARIF says it (section 3.4): relative to the checkout when it is in there, so that the
 * same alert has the same place on every runner; else absolute.
 *
 * @param directory absolute path of the checkout
 */
export function artifactUri(path: string, directory: string): ArtifactLocation & { readonly uri: string } {
  const absolute = resolve(directory, path);
  const inside = relative(directory, absolute);
  if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    return { uri: pathToFileURL(absolute).href };
  }
  return { uri: inside.split(sep).map(encodeURIComponent).join('/'), uriBaseId: SOURCE_ROOT };
}

import { parse } from 'semver';
import { type ErrorCode, VespidError } from '../../engine/errors/index.js';

/**
 * Checks a version of a bundle: Semantic Versioning 2.0.0 in its one spelling, without a `v` before or spaces around
 * it, so that two readers never order two versions differently.
 *
 * @throws VespidError with the given code
 */
export function requireValidVersion(version: string, code: ErrorCode): void {
  const parsed = parse(version);
  // The library takes more than the grammar: what it read, written again, must be what came.
  if (parsed !== null && version === [parsed.version, parsed.build.join('.')].filter(Boolean).join('+'))
    return;
  throw new VespidError(code, `expected a version of a bundle, found ${JSON.stringify(version)}`, {
    hint: 'use Semantic Versioning 2.0.0 (semver.org): 1.4.0, 2.0.0-rc.1',
  });
}

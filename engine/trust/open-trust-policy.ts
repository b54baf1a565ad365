import { readFileSync, statSync } from 'node:fs';
import { parseTrustPolicy, type TrustPolicy } from '../../signing/index.js';
import { VespidError } from '../errors/index.js';

/**
 * The trust policy in a file, with the public keys that it names.
 *
 * @throws VespidError INPUT_NOT_FOUND, INPUT_UNREADABLE, TRUST_POLICY_*, KEY_*
 */
export function openTrustPolicy(file: string): TrustPolicy {
  return parseTrustPolicy(readText(file), file, (path) => readFileSync(path, 'utf8'));
}

/** A trust policy is a page of YAML; anything much larger is another file. */
const MAX_TRUST_POLICY_BYTES = 1024 * 1024;

function readText(file: string): string {
  try {
    const status = statSync(file);
    if (!status.isFile()) throw new VespidError('INPUT_WRONG_KIND', `${file} is not a file`);
    if (status.size > MAX_TRUST_POLICY_BYTES) {
      throw new VespidError(
        'INPUT_TOO_LARGE',
        `${file} has ${status.size} bytes, too many for a trust policy`,
      );
    }
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof VespidError) throw cause;
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new VespidError(
      missing ? 'INPUT_NOT_FOUND' : 'INPUT_UNREADABLE',
      missing ? `there is no file ${file}` : `${file} cannot be read: ${String(cause)}`,
      { cause },
    );
  }
}

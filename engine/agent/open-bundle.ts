import { readFileSync } from 'node:fs';
import {
  parseTrustPolicy,
  type TrustPolicy,
  type VerifiedBundle,
  verifyBundle,
} from '../../signing/index.js';
import { VespidError } from '../errors/index.js';
import { checkClaims, readBundle } from '../loader/index.js';

/**
 * The trust policy in a file, with the public keys that it names.
 *
 * @throws VespidError INPUT_NOT_FOUND, INPUT_UNREADABLE, TRUST_POLICY_*, KEY_*
 */
export function openTrustPolicy(file: string): TrustPolicy {
  return parseTrustPolicy(readText(file), file, (path) => readFileSync(path, 'utf8'));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw new VespidError(
      missing ? 'INPUT_NOT_FOUND' : 'INPUT_UNREADABLE',
      missing ? `there is no file ${file}` : `${file} cannot be read: ${String(cause)}`,
      { cause },
    );
  }
}

/**
 * The way of a bundle to the point where its bytes may be parsed: read, verify the signatures, judge them by the
 * trust policy, compare what the signers state with what the objects hold.
 *
 * @throws VespidError BUNDLE_* (exit code 3), ELF_*, BTF_*, OBJECT_*
 */
export async function openBundle(directory: string, trust: TrustPolicy, now: Date): Promise<VerifiedBundle> {
  const files = await readBundle(directory);
  const bundle = verifyBundle(files, trust, now);
  checkClaims(bundle);
  return bundle;
}

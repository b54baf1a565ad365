import { type TrustPolicy, type VerifiedBundle, verifyBundle } from '../../signing/index.js';
import { readBundle } from '../bundles/index.js';
import { checkClaims } from '../loader/index.js';

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

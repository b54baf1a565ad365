import {
  type AcceptedBundle,
  acceptBundle,
  type BundleSource,
  readVerifiedBundle,
  type TrustPolicy,
  type VerifiedBundle,
} from '../../signing/index.js';
import { openBundleSource } from '../bundles/index.js';
import { checkFileClaims } from '../loader/index.js';

/**
 * Everything that {@link openBundle} checks, of a bundle from anywhere, one file at a time: no bytes of a policy or an
 * object are kept.
 *
 * @throws VespidError BUNDLE_* (exit code 3), ELF_*, BTF_*, OBJECT_*, and those of the source
 */
export async function checkBundleSource(
  source: BundleSource,
  trust: TrustPolicy,
  now: Date,
): Promise<AcceptedBundle> {
  const accepted = await acceptBundle(source, trust, now);
  await checkAcceptedBundle(accepted);
  return accepted;
}

/**
 * The second half of {@link checkBundleSource}: holds each file of a bundle that the trust policy accepts to its digest
 * and to what the signers state.
 *
 * @throws VespidError BUNDLE_* (exit code 3), ELF_*, BTF_*, OBJECT_*
 */
export async function checkAcceptedBundle(accepted: AcceptedBundle): Promise<void> {
  for await (const file of accepted.files()) checkFileClaims(accepted.statement.predicate, file);
}

/**
 * The way of a bundle to the point where its bytes may be parsed: verify the signatures, judge them by the trust
 * policy, then read each file, hold it to its digest, and hold what the signers state to what it holds. The result
 * carries the bytes that were checked; nothing reads the bundle again.
 *
 * @param path of a bundle
 * @throws VespidError BUNDLE_* (exit code 3), ELF_*, BTF_*, OBJECT_*
 */
export async function openBundle(path: string, trust: TrustPolicy, now: Date): Promise<VerifiedBundle> {
  const accepted = await acceptBundle(await openBundleSource(path), trust, now);
  return readVerifiedBundle(accepted, (file) => checkFileClaims(accepted.statement.predicate, file));
}

import { performance } from 'node:perf_hooks';
import { checkFileClaims } from '../../../engine/loader/index.js';
import { acceptBundle, type BundleFiles, MemoryBundle, type TrustPolicy } from '../../../signing/index.js';

/** Milliseconds. */
export interface VerifyTimes {
  /** Signatures and trust policy. */
  readonly accept: number;
  /** Digests and claims of all files. */
  readonly files: number;
  readonly total: number;
}

/** Verifies a bundle that is in memory, as `vespid verify` does. */
export async function verifyOnce(files: BundleFiles, trust: TrustPolicy): Promise<VerifyTimes> {
  const start = performance.now();
  const accepted = await acceptBundle(new MemoryBundle(files), trust, new Date());
  const middle = performance.now();
  for await (const file of accepted.files()) checkFileClaims(accepted.statement.predicate, file);
  const end = performance.now();
  return { accept: middle - start, files: end - middle, total: end - start };
}

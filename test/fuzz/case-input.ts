import type { FuzzTarget } from './fuzz-target.js';
import { Random } from './random.js';

/** The input of one case: made of seed, index and corpus alone. */
export function caseInput(
  target: FuzzTarget,
  seeds: readonly Uint8Array[],
  seed: number,
  caseIndex: number,
): Uint8Array {
  const random = Random.forCase(seed, caseIndex);
  return target.mutate(random, random.pick(seeds), seeds);
}

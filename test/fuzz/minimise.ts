import type { FuzzTarget } from './fuzz-target.js';
import { runCase } from './run-case.js';

/**
 * The input with as many of its changes undone as keep the fault: those bytes that differ from a good input of the
 * same length are set back in blocks, halving, then one by one. An input of another length stays as it is.
 */
export async function minimise(
  target: FuzzTarget,
  input: Uint8Array,
  seeds: readonly Uint8Array[],
  signature: string,
): Promise<Uint8Array> {
  const original = nearestSeed(input, seeds);
  if (original === undefined) return input;
  let best = input;
  let changed = differingBytes(best, original);
  for (let block = changed.length; block >= 1; block = Math.floor(block / 2)) {
    for (let from = 0; from < changed.length; from += block) {
      const candidate = best.slice();
      for (const at of changed.slice(from, from + block)) candidate[at] = original[at] ?? 0;
      if ((await runCase(target, candidate))?.signature === signature) best = candidate;
    }
    changed = differingBytes(best, original);
  }
  return best;
}

function nearestSeed(input: Uint8Array, seeds: readonly Uint8Array[]): Uint8Array | undefined {
  const sameLength = seeds.filter((seed) => seed.byteLength === input.byteLength);
  return sameLength
    .map((seed) => ({ seed, distance: differingBytes(input, seed).length }))
    .sort((left, right) => left.distance - right.distance)[0]?.seed;
}

function differingBytes(left: Uint8Array, right: Uint8Array): number[] {
  return Array.from(left.keys()).filter((at) => left[at] !== right[at]);
}

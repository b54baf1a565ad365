import { VespidError } from '../../engine/errors/index.js';

/** Bounds on a bundle as a whole, so that a hostile one cannot exhaust the memory of a node that refuses it. */
export const BUNDLE_LIMITS = {
  /** 128 policies and objects, 32 attestations of two files each, and five of the layout itself: about 200. */
  maxFiles: 512,
  /** Objects with BTF are tens to hundreds of KiB. */
  maxFileBytes: 16 * 1024 * 1024,
  maxTotalBytes: 64 * 1024 * 1024,
  /** Policies and objects together. */
  maxLayers: 128,
  /** Sixteen signers, each with provenance. */
  maxAttestations: 32,
} as const;

/** @throws VespidError BUNDLE_TOO_LARGE */
export function requireWithinLimit(found: number, limit: number, what: string): void {
  if (found <= limit) return;
  throw new VespidError('BUNDLE_TOO_LARGE', `expected at most ${limit} ${what}, found ${found}`, {
    hint: 'split the policies and objects over several bundles',
  });
}

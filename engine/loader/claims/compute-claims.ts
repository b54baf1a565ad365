import type { BundleInput, BundlePredicate } from '../../../signing/index.js';
import { normalizePredicate } from '../../../signing/index.js';
import { readObject } from '../../bytecode/index.js';
import { programClaims, structOpsClaims } from './object-claims.js';
import { policyClaims } from './policy-claims.js';

/** A file of a bundle, as claims are computed from it. */
export interface ClaimedFile {
  readonly kind: 'policy' | 'object';
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What can be said of files from their bytes alone. */
export type Claims = Omit<BundlePredicate, 'compiler'>;

/**
 * What can be said of one file from its bytes.
 *
 * @throws VespidError ELF_*, BTF_*, OBJECT_*, POLICY_*, INPUT_NOT_TEXT
 */
export function computeFileClaims(file: ClaimedFile): Claims {
  if (file.kind === 'policy') return { programs: [], policies: policyClaims(file), structOps: [] };
  const object = readObject(file.bytes, file.name);
  return { programs: programClaims(object), policies: [], structOps: structOpsClaims(object) };
}

/**
 * What a signer states about the files of a bundle.
 *
 * @param compilerVersion of this package
 * @throws VespidError ELF_*, BTF_*, OBJECT_*, POLICY_*, INPUT_NOT_TEXT
 */
export function computePredicate(
  { policies, objects }: Pick<BundleInput, 'policies' | 'objects'>,
  compilerVersion: string,
): BundlePredicate {
  const claims = [
    ...policies.map((file) => computeFileClaims({ kind: 'policy', ...file })),
    ...objects.map((file) => computeFileClaims({ kind: 'object', ...file })),
  ];
  return normalizePredicate({
    compiler: { name: 'vespid', version: compilerVersion },
    programs: claims.flatMap(({ programs }) => programs),
    policies: claims.flatMap(({ policies }) => policies),
    structOps: claims.flatMap(({ structOps }) => structOps),
  });
}

import type { BundlePredicate } from '../../../signing/index.js';
import { normalizePredicate, programSubjectName } from '../../../signing/index.js';
import { VespidError } from '../../errors/index.js';
import { type ClaimedFile, type Claims, computeFileClaims } from './compute-claims.js';

/**
 * Compares what the signers state about one file with what its bytes hold. Together with the statement's own check,
 * that no claim is about a file which is not in the bundle, this makes every claim true.
 *
 * @throws VespidError BUNDLE_CLAIM_FALSE when they differ in anything, and those of {@link computeFileClaims}
 */
export function checkFileClaims(predicate: BundlePredicate, file: ClaimedFile): void {
  const { compiler } = predicate;
  const found = labelled(normalizePredicate({ compiler, ...computeFileClaims(file) }));
  const stated = labelled(normalizePredicate({ compiler, ...claimsAbout(predicate, file) }));
  for (const [label, claim] of found) {
    const statedClaim = stated.get(label);
    stated.delete(label);
    if (statedClaim === claim) continue;
    throw falseClaim(
      label,
      statedClaim === undefined ? 'does not state it' : `states ${statedClaim}, found ${claim}`,
    );
  }
  const [missing] = stated.keys();
  if (missing !== undefined) throw falseClaim(missing, `states it, but ${file.name} does not hold it`);
}

function claimsAbout(predicate: BundlePredicate, { name }: ClaimedFile): Claims {
  return {
    programs: predicate.programs.filter(({ object }) => object === name),
    policies: predicate.policies.filter(({ file }) => file === name),
    structOps: predicate.structOps.filter(({ object }) => object === name),
  };
}

/** Each claim as text, by what it is about. */
function labelled({ programs, policies, structOps }: Claims): Map<string, string> {
  return new Map([
    ...programs.map((claim) => [`program ${programSubjectName(claim)}`, JSON.stringify(claim)] as const),
    ...policies.map((claim) => [`policy ${claim.name} of ${claim.file}`, JSON.stringify(claim)] as const),
    ...structOps.map((claim) => [`struct_ops ${claim.object}#${claim.name}`, JSON.stringify(claim)] as const),
  ]);
}

function falseClaim(label: string, what: string): VespidError {
  return new VespidError('BUNDLE_CLAIM_FALSE', `${label}: the attestation ${what}`, {
    hint: 'sign the bundle again; if you did not expect this, treat the signer as compromised',
    details: { claim: label },
  });
}

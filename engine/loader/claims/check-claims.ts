import type { BundlePredicate } from '../../../signing/index.js';
import { normalizePredicate, programSubjectName } from '../../../signing/index.js';
import { VespidError } from '../../errors/index.js';
import { describeDifference } from './claim-difference.js';
import { type ClaimedFile, type Claims, computeFileClaims } from './compute-claims.js';

/**
 * Compares what the signers state about one file with what its bytes hold. Together with the statement's own check,
 * that no claim is about a file which is not in the bundle, this makes every claim true. One file at a time, so that
 * nobody needs all of them in memory.
 *
 * @throws VespidError BUNDLE_CLAIM_FALSE when they differ in anything, or when nothing can be said of the bytes
 */
export function checkFileClaims(predicate: BundlePredicate, file: ClaimedFile): void {
  const { compiler } = predicate;
  const found = byLabel(normalizePredicate({ compiler, ...claimsFoundIn(file) }), file);
  const stated = byLabel(normalizePredicate({ compiler, ...claimsAbout(predicate, file) }), file);
  for (const [label, claim] of found) {
    const statedClaim = stated.get(label);
    if (statedClaim === undefined) {
      throw falseClaim(label, `the attestation does not state it, but ${file.name} holds it`);
    }
    const difference = describeDifference(statedClaim, claim);
    if (difference !== undefined) {
      throw falseClaim(label, difference.message, {
        member: difference.member,
        stated: difference.stated,
        found: difference.found,
      });
    }
  }
  const missing = [...stated.keys()].find((label) => !found.has(label));
  if (missing !== undefined) {
    throw falseClaim(missing, `the attestation states it, but ${file.name} does not hold it`);
  }
}

/** A policy that cannot be read, or an object that is none, is not what its signers state, whatever they state. */
function claimsFoundIn(file: ClaimedFile): Claims {
  try {
    return computeFileClaims(file);
  } catch (cause) {
    if (!(cause instanceof VespidError) || cause.code === 'INTERNAL') throw cause;
    throw new VespidError(
      'BUNDLE_CLAIM_FALSE',
      `${file.name}: what the attestation states cannot be found in it: ${cause.message}`,
      {
        hint: cause.hint ?? 'the signers signed a file that is damaged, or that a newer version made',
        details: { claim: file.name, cause: cause.code },
        cause,
      },
    );
  }
}

function claimsAbout(predicate: BundlePredicate, { name }: ClaimedFile): Claims {
  return {
    programs: predicate.programs.filter(({ object }) => object === name),
    policies: predicate.policies.filter(({ file }) => file === name),
    structOps: predicate.structOps.filter(({ object }) => object === name),
  };
}

/** Each claim by what it is about. Of two claims about one thing, which would count? */
function byLabel({ programs, policies, structOps }: Claims, file: ClaimedFile): Map<string, object> {
  const claims = [
    ...programs.map((claim) => [`program ${programSubjectName(claim)}`, claim] as const),
    ...policies.map((claim) => [`policy ${claim.file}#${claim.name}`, claim] as const),
    ...structOps.map((claim) => [`struct_ops ${claim.object}#${claim.name}`, claim] as const),
  ];
  const labelled = new Map<string, object>();
  for (const [label, claim] of claims) {
    if (labelled.has(label))
      throw falseClaim(label, `${file.name} holds it, or the attestation states it, twice`);
    labelled.set(label, claim);
  }
  return labelled;
}

function falseClaim(label: string, what: string, details: Record<string, unknown> = {}): VespidError {
  return new VespidError('BUNDLE_CLAIM_FALSE', `${label}: ${what}`, {
    hint: 'sign the bundle again; if you did not expect this, treat the signer as compromised',
    details: { claim: label, ...details },
  });
}

import { normalizePolicyClaims, type PolicyClaim } from './policy-claim.js';
import { normalizeProgramClaims, type ProgramClaim } from './program-claim.js';
import { normalizeStructOpsClaims, type StructOpsClaim } from './struct-ops-claim.js';

/** predicateType of a statement about a bundle's content. */
export const PREDICATE_TYPE = 'https://vespid.dev/attestation/bundle/v1';

/**
 * What the signers of a bundle state about its content. docs/attestation.md explains every member,
 * bundle-predicate.schema.json is its JSON Schema.
 */
export interface BundlePredicate {
  /** What compiled the policies. The one member that cannot be computed from the bundle's bytes. */
  readonly compiler: { readonly name: 'vespid'; readonly version: string };
  readonly programs: readonly ProgramClaim[];
  readonly policies: readonly PolicyClaim[];
  readonly structOps: readonly StructOpsClaim[];
}

/** The same predicate in one order, with documented members only: equal content gives equal canonical JSON. */
export function normalizePredicate(predicate: BundlePredicate): BundlePredicate {
  const { name, version } = predicate.compiler;
  return {
    compiler: { name, version },
    programs: normalizeProgramClaims(predicate.programs),
    policies: normalizePolicyClaims(predicate.policies),
    structOps: normalizeStructOpsClaims(predicate.structOps),
  };
}

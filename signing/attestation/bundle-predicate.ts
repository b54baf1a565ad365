import { closedObject } from './claim-schema.js';
import { normalizePolicyClaims, POLICY_CLAIMS_SCHEMA, type PolicyClaim } from './policy-claim.js';
import { normalizeProgramClaims, PROGRAM_CLAIMS_SCHEMA, type ProgramClaim } from './program-claim.js';
import {
  normalizeStructOpsClaims,
  STRUCT_OPS_CLAIMS_SCHEMA,
  type StructOpsClaim,
} from './struct-ops-claim.js';

/** predicateType of a statement about a bundle's content. */
export const PREDICATE_TYPE = 'https://vespid.dev/attestation/bundle/v1';

/** What the signers of a bundle state about its content. docs/attestation.md explains every member. */
export interface BundlePredicate {
  /** What compiled the policies. The one member that cannot be computed from the bundle's bytes. */
  readonly compiler: { readonly name: 'vespid'; readonly version: string };
  readonly programs: readonly ProgramClaim[];
  readonly policies: readonly PolicyClaim[];
  readonly structOps: readonly StructOpsClaim[];
}

/** JSON Schema of {@link BundlePredicate}. */
export const BUNDLE_PREDICATE_SCHEMA = closedObject({
  compiler: closedObject({
    name: { const: 'vespid' },
    // Semantic Versioning 2.0.0, item 2, 9 and 10; length as in npm's own limit.
    version: { type: 'string', maxLength: 256, pattern: '^[0-9]+\\.[0-9]+\\.[0-9]+([-+][0-9A-Za-z.+-]+)?$' },
  }),
  programs: PROGRAM_CLAIMS_SCHEMA,
  policies: POLICY_CLAIMS_SCHEMA,
  structOps: STRUCT_OPS_CLAIMS_SCHEMA,
});

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

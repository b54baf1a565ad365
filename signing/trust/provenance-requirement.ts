import type { Refusal, RequirementDecision, SignerIdentity } from './decision.js';
import { signerOf, standingOf } from './signer-standing.js';
import type { ProvenanceRequirement, TrustPolicy } from './trust-policy.js';

/** SLSA provenance of a bundle whose signature was verified, and whose subject is the bundle's manifest. */
export interface ProvenanceEvidence {
  readonly identity: SignerIdentity;
  /** `runDetails.builder.id` (SLSA v1.0, provenance). */
  readonly builder: string;
  /** Repositories that were built from, without revision: `https://github.com/acme/sensors`. */
  readonly repositories: readonly string[];
}

/**
 * The one row of a decision about provenance; none when the policy asks for no provenance. Counted are signers that
 * the policy accepts and that state one of each list. They may be others than those of the content, and never count
 * for a threshold.
 */
export function provenanceRequirement(
  policy: TrustPolicy,
  provenance: readonly ProvenanceEvidence[],
  now: Date,
): readonly RequirementDecision[] {
  const { provenance: required } = policy;
  if (required === undefined) return [];
  const matching = provenance.filter(
    (evidence) =>
      standingOf(policy, evidence.identity, now) === 'accepted' && statesWhatIsRequired(evidence, required),
  );
  const ids = new Set(matching.map(({ identity }) => signerOf(policy, identity)?.id));
  const by = policy.signers.map(({ id }) => id).filter((id) => ids.has(id));
  return [{ label: 'provenance', needed: 1, counted: by.length, by, met: by.length >= 1 }];
}

function statesWhatIsRequired(evidence: ProvenanceEvidence, required: ProvenanceRequirement): boolean {
  const { builders, repositories } = required;
  const builderFits = builders === undefined || builders.includes(evidence.builder);
  const repositoryFits =
    repositories === undefined ||
    evidence.repositories.some((repository) => repositories.includes(repository));
  return builderFits && repositoryFits;
}

export function refuseProvenance(
  { provenance: required }: TrustPolicy,
  provenance: readonly ProvenanceEvidence[],
  requirements: readonly RequirementDecision[],
): Refusal | undefined {
  if (required === undefined || requirements.every(({ met }) => met)) return undefined;
  const { builders, repositories } = required;
  const wanted = [
    ...(builders === undefined ? [] : [`by ${builders.join(' or ')}`]),
    ...(repositories === undefined ? [] : [`from ${repositories.join(' or ')}`]),
  ].join(' ');
  const found = provenance.map((one) => `by ${one.builder} from ${one.repositories.join(', ') || 'nowhere'}`);
  return {
    code: 'BUNDLE_PROVENANCE_NOT_MET',
    message: `expected SLSA provenance of a trusted signer ${wanted}, found ${found.join('; ') || 'none'}`,
    hint: 'sign the bundle in the build that the trust policy names under provenance',
  };
}

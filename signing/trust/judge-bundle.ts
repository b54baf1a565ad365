import { compare as compareVersions } from 'semver';
import { VespidError } from '../../engine/errors/index.js';
import type { Subject } from '../attestation/statement.js';
import type { BundleIdentity, Decision, Refusal, RequirementDecision, SignerDecision } from './decision.js';
import {
  type AttestationEvidence,
  countedIds,
  countSigners,
  decisionOf,
  describeUnmet,
  type JudgedSigner,
  judgeSignatures,
  judgeStandings,
  nameOf,
} from './judge-signatures.js';
import { describeMissingGrant, missingGrants, type SignedContent } from './missing-grants.js';
import {
  type ProvenanceEvidence,
  provenanceRequirement,
  refuseProvenance,
} from './provenance-requirement.js';
import { signerOf } from './signer-standing.js';
import { requirementsOf } from './signing-requirements.js';
import type { TrustPolicy } from './trust-policy.js';

/** What is known of a bundle once its statement was read and found to cover exactly its content. */
export interface BundleEvidence {
  readonly bundle: BundleIdentity;
  /** Attestations of the content, all over the statement that the rest is from, in the order of the bundle. */
  readonly attestations: readonly AttestationEvidence[];
  /** Subjects of the statement: every digest in the bundle. */
  readonly subjects: readonly Subject[];
  readonly predicate: SignedContent['predicate'];
  readonly provenance: readonly ProvenanceEvidence[];
}

/**
 * What a trust policy says about a bundle. A pure function of its arguments, in this order:
 *
 * 1. the policy is not expired, and enough distinct signers that count at `now` signed;
 * 2. nothing in the bundle is revoked, and its version is not below the minimum of its name;
 * 3. each signer is held against the whole content, and only those entitled to all of it are counted again;
 * 4. provenance, where the policy asks for it.
 *
 * Granting more or adding an attestation of a signer never turns an acceptance into a refusal.
 */
export function judgeEvidence(policy: TrustPolicy, evidence: BundleEvidence, now: Date): Decision {
  const { bundle, attestations, provenance } = evidence;
  const bySignatures = judgeSignatures(policy, bundle, attestations, now);
  if (!bySignatures.accepted) return bySignatures;
  const content = { name: bundle.name, predicate: evidence.predicate };
  const signers = countSigners(
    judgeStandings(policy, attestations, now).map((signer) => judgeGrants(policy, signer, content)),
  );
  const bySigners = requirementsOf(policy, countedIds(signers));
  const byProvenance = provenanceRequirement(policy, provenance, now);
  const refusal =
    checkRevokedDigests(policy, evidence.subjects) ??
    checkMinimumVersion(policy, bundle) ??
    refuseGrants(policy, signers, bySigners) ??
    refuseProvenance(policy, provenance, byProvenance);
  return decisionOf(bundle, signers, [...bySigners, ...byProvenance], refusal);
}

/** Only who is accepted is held against the content: nobody asks what a revoked key might sign. */
function judgeGrants(policy: TrustPolicy, judged: JudgedSigner, content: SignedContent): JudgedSigner {
  const signer = signerOf(policy, judged.identity);
  if (signer === undefined || judged.standing !== 'accepted') return judged;
  return { ...judged, missingGrants: missingGrants(signer, content) };
}

/** A refusal when anything in the bundle is revoked: the manifest, a file, or the instructions of a program. */
export function checkRevokedDigests(policy: TrustPolicy, subjects: readonly Subject[]): Refusal | undefined {
  for (const { name, digest } of subjects) {
    const reason = policy.revokedDigests.get(`sha256:${digest.sha256}`);
    if (reason === undefined) continue;
    return {
      code: 'BUNDLE_DIGEST_REVOKED',
      message: `expected nothing that the trust policy revokes, found ${name} (sha256:${digest.sha256}): ${reason}`,
      hint: 'use a newer bundle, in which this was replaced',
    };
  }
  return undefined;
}

/** A refusal when a name has a minimum version and the bundle is below it, or states no version. */
export function checkMinimumVersion(policy: TrustPolicy, bundle: BundleIdentity): Refusal | undefined {
  const { name, version } = bundle;
  const minimum = policy.minimumVersions.get(name);
  if (minimum === undefined) return undefined;
  if (version !== undefined && compareVersions(version, minimum) >= 0) return undefined;
  return {
    code: 'BUNDLE_VERSION_BELOW_MINIMUM',
    message: `expected version ${minimum} of ${name} or a later one, found ${version ?? 'none'}`,
    hint:
      version === undefined
        ? 'sign it with a version: vespid sign --bundle-version'
        : 'use a newer bundle; the trust policy sets the minimum under minimumVersions',
  };
}

/** Names the first signer, in the order of the policy, that signed what it may not, and what that is. */
function refuseGrants(
  policy: TrustPolicy,
  signers: readonly SignerDecision[],
  requirements: readonly RequirementDecision[],
): Refusal | undefined {
  const unmet = requirements.filter(({ met }) => !met);
  if (unmet.length === 0) return undefined;
  const entries = policy.signers.flatMap(({ id }) => signers.filter((signer) => signer.id === id));
  const signer = entries.find(({ missingGrants: missing = [] }) => missing.length > 0);
  const [first, ...others] = signer?.missingGrants ?? [];
  if (signer === undefined || first === undefined) {
    // judgeSignatures met the same requirements, so only a grant can be what is missing now.
    throw new VespidError('INTERNAL', 'requirements are unmet though every signer is entitled');
  }
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return {
    code: 'BUNDLE_SIGNER_NOT_ENTITLED',
    message: `${nameOf(signer)} may not sign ${first.subject}: ${describeMissingGrant(first)}${more}; ${unmet.map(describeUnmet).join('; ')} entitled to all of it`,
    hint: 'have a signer sign it that may, or grant it in the trust policy; vespid verify --explain shows all that is missing',
  };
}

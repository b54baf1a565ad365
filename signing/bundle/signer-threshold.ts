import type { ErrorCode } from '../../engine/errors/index.js';
import type { Refusal, RequirementDecision, SignerDecision, SignerIdentity } from '../trust/decision.js';
import { requirementsOf } from '../trust/signing-requirements.js';
import type { TrustPolicy } from '../trust/trust-policy.js';
import type { JudgedAttestation } from './attestation-verifier.js';

/** Signatures held against the trust policy, before anybody looks into the payload. */
export interface SignatureCount {
  readonly signers: readonly SignerDecision[];
  readonly requirements: readonly RequirementDecision[];
  /** There when too few signers count. */
  readonly refusal?: Refusal;
}

/**
 * Counts distinct trusted signers: the first attestation of each counts.
 *
 * @param attestations in the order of the bundle
 */
export function countSignatures(
  attestations: readonly JudgedAttestation[],
  trust: TrustPolicy,
): SignatureCount {
  const counted = new Set<string>();
  const signers = attestations.map(({ digest, identity, signerId, standing }): SignerDecision => {
    const counts = standing === 'accepted' && signerId !== undefined && !counted.has(signerId);
    if (counts) counted.add(signerId);
    const id = signerId === undefined ? {} : { id: signerId };
    return { ...id, identity, attestation: digest, standing, counted: counts };
  });
  const requirements = requirementsOf(trust, counted);
  const count = { signers, requirements };
  // A policy that somebody made by hand may require nothing; nobody's signature is still not enough.
  if (counted.size > 0 && requirements.every(({ met }) => met)) return count;
  return { ...count, refusal: refuseCount(count, counted.size) };
}

/** One cause gives its own code; some accepted signatures, but too few, give the threshold's. */
function refuseCount({ signers, requirements }: SignatureCount, counted: number): Refusal {
  const [code, hint] = counted > 0 ? TOO_FEW : reasonOf(signers);
  const missing = requirements.filter(({ met }) => !met).map(describeRequirement);
  const found = signers.map(({ id, identity, standing }) => `${id ?? nameOf(identity)} (${standing})`);
  const message = `expected ${missing.join(' and ')}; the signatures: ${found.join(', ')}`;
  return { code, message, hint };
}

function describeRequirement({ label, needed, counted }: RequirementDecision): string {
  return `${needed} distinct ${label === 'signers' ? 'trusted signers' : `signers of ${label}`}, found ${counted}`;
}

function nameOf(identity: SignerIdentity): string {
  return identity.kind === 'key' ? `key ${identity.keyId}` : identity.subject;
}

type CodeAndHint = readonly [ErrorCode, string];

const TOO_FEW: CodeAndHint = [
  'BUNDLE_THRESHOLD_NOT_MET',
  'have further signers that the trust policy names sign it',
];

function reasonOf(signers: readonly SignerDecision[]): CodeAndHint {
  const standings = new Set(signers.map(({ standing }) => standing));
  if (standings.has('revoked')) return ['BUNDLE_SIGNER_REVOKED', 'sign again with a key that is not revoked'];
  if (standings.has('expired')) return ['BUNDLE_SIGNER_EXPIRED', 'sign again with a key that is still valid'];
  if (standings.has('not-yet-valid')) {
    return [
      'BUNDLE_SIGNER_NOT_YET_VALID',
      "check this machine's clock and the key's validFrom in the trust policy",
    ];
  }
  return ['BUNDLE_SIGNER_UNKNOWN', 'add the key to the trust policy only if you know whose it is'];
}

import type { ErrorCode } from '../../engine/errors/index.js';
import type {
  BundleIdentity,
  Decision,
  Refusal,
  RequirementDecision,
  SignerDecision,
  SignerIdentity,
} from './decision.js';
import { revocationOf, signerOf, standingOf } from './signer-standing.js';
import { requirementsOf } from './signing-requirements.js';
import type { TrustPolicy } from './trust-policy.js';

/** An attestation of a bundle's content whose signature was verified. */
export interface AttestationEvidence {
  /** Digest of the attestation, `sha256:<hex>`. */
  readonly digest: string;
  readonly identity: SignerIdentity;
}

/**
 * The first half of the judgement, before anybody looks into what was signed: whether enough distinct signers that
 * count at `now` signed. `accepted` says no more than that. Pure.
 *
 * @param attestations those of the bundle's content, all over one payload; provenance is none of them
 */
export function judgeSignatures(
  policy: TrustPolicy,
  bundle: BundleIdentity,
  attestations: readonly AttestationEvidence[],
  now: Date,
): Decision {
  const signers = countSigners(judgeStandings(policy, attestations, now));
  const requirements = requirementsOf(policy, countedIds(signers));
  const refusal = refuseExpiredPolicy(policy, now) ?? refuseCount(signers, requirements);
  return decisionOf(bundle, signers, requirements, refusal);
}

/** An attestation held against the trust policy, before anybody counts. */
export type JudgedSigner = Omit<SignerDecision, 'counted'>;

export function judgeStandings(
  policy: TrustPolicy,
  attestations: readonly AttestationEvidence[],
  now: Date,
): readonly JudgedSigner[] {
  return attestations.map(({ digest, identity }) => {
    const id = signerOf(policy, identity)?.id;
    const revocation = revocationOf(policy, identity);
    return {
      ...(id === undefined ? {} : { id }),
      identity,
      attestation: digest,
      standing: standingOf(policy, identity, now),
      ...(revocation === undefined ? {} : { revocation }),
    };
  });
}

/** Lets the first attestation of each signer count that is accepted and, where that was judged, entitled. */
export function countSigners(judged: readonly JudgedSigner[]): readonly SignerDecision[] {
  const counted = new Set<string>();
  return judged.map((signer) => {
    const { id, standing, missingGrants = [] } = signer;
    const counts =
      id !== undefined && standing === 'accepted' && missingGrants.length === 0 && !counted.has(id);
    if (counts) counted.add(id);
    return { ...signer, counted: counts };
  });
}

export function countedIds(signers: readonly SignerDecision[]): readonly string[] {
  return signers.flatMap(({ id, counted }) => (counted && id !== undefined ? [id] : []));
}

export function decisionOf(
  bundle: BundleIdentity,
  signers: readonly SignerDecision[],
  requirements: readonly RequirementDecision[],
  refusal: Refusal | undefined,
): Decision {
  const accepted = refusal === undefined;
  return { accepted, bundle, signers, requirements, ...(accepted ? {} : { refusal }) };
}

/** Positive, so that an invalid date refuses. */
function refuseExpiredPolicy({ expires }: TrustPolicy, now: Date): Refusal | undefined {
  if (expires === undefined || now < expires) return undefined;
  return {
    code: 'TRUST_POLICY_EXPIRED',
    message: `expected a trust policy that is valid, found one that expired at ${expires.toISOString()}`,
    hint: 'get the current trust policy; an expired one accepts nothing',
  };
}

/** One cause gives its own code; some signers that count, but too few, give the threshold's. */
function refuseCount(
  signers: readonly SignerDecision[],
  requirements: readonly RequirementDecision[],
): Refusal | undefined {
  const unmet = requirements.filter(({ met }) => !met);
  if (unmet.length === 0) return undefined;
  const [code, hint] = signers.some(({ counted }) => counted) ? TOO_FEW : reasonOf(signers);
  const found = signers.map((signer) => `${nameOf(signer)} (${describeStanding(signer)})`).join(', ');
  const signed = found === '' ? '' : `; signed by ${found}`;
  return { code, message: `${unmet.map(describeUnmet).join('; ')}${signed}`, hint };
}

/** "expected 2 distinct trusted signers, found 1", "expected 2 of group security, found 0" */
export function describeUnmet({ label, needed, counted }: RequirementDecision): string {
  const what = label === 'signers' ? 'distinct trusted signers' : `of ${label}`;
  return `expected ${needed} ${what}, found ${counted}`;
}

/** The id in the trust policy, or else who signed. */
export function nameOf({ id, identity }: Pick<SignerDecision, 'id' | 'identity'>): string {
  if (id !== undefined) return id;
  return identity.kind === 'key' ? `key ${identity.keyId}` : `${identity.subject} of ${identity.issuer}`;
}

function describeStanding({ standing, revocation, counted }: SignerDecision): string {
  if (revocation !== undefined) return `${standing}: ${revocation}`;
  return standing === 'accepted' && !counted ? 'counted already' : standing;
}

type CodeAndHint = readonly [ErrorCode, string];

const TOO_FEW: CodeAndHint = [
  'BUNDLE_THRESHOLD_NOT_MET',
  'have further signers that the trust policy names sign it: vespid sign --add',
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
  return ['BUNDLE_SIGNER_UNKNOWN', 'add the signer to the trust policy only if you know who it is'];
}

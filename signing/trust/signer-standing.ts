import type { SignerIdentity, Standing } from './decision.js';
import { matchesName } from './name-pattern.js';
import type { TrustedIdentity, TrustedSigner, TrustPolicy } from './trust-policy.js';

/** The signer that an identity counts for: the first in the order of the trust policy that it matches. */
export function signerOf(policy: TrustPolicy, identity: SignerIdentity): TrustedSigner | undefined {
  return policy.signers.find((signer) => isSigner(signer, identity));
}

function isSigner(signer: TrustedSigner, identity: SignerIdentity): boolean {
  if (signer.kind === 'key') return identity.kind === 'key' && signer.publicKey.keyId === identity.keyId;
  return (
    identity.kind === 'keyless' &&
    signer.issuer === identity.issuer &&
    matchesSubject(signer, identity.subject)
  );
}

function matchesSubject({ subject: rule }: TrustedIdentity, subject: string): boolean {
  return rule.kind === 'exact' ? rule.subject === subject : matchesName(rule.pattern, subject);
}

/** Why an identity is revoked, or undefined when it is not. */
export function revocationOf(policy: TrustPolicy, identity: SignerIdentity): string | undefined {
  if (identity.kind === 'key') return policy.revokedKeys.get(identity.keyId);
  const { issuer, subject } = identity;
  return policy.revokedIdentities.find((entry) => entry.issuer === issuer && entry.subject === subject)
    ?.reason;
}

/**
 * What the policy thinks of an identity at a moment. Being revoked comes first: it holds even for a key that the
 * policy no longer names.
 */
export function standingOf(policy: TrustPolicy, identity: SignerIdentity, now: Date): Standing {
  if (revocationOf(policy, identity) !== undefined) return 'revoked';
  const signer = signerOf(policy, identity);
  return signer === undefined ? 'unknown' : validityAt(signer, now);
}

/** Whether signatures of a signer count at a moment. Conditions are positive, so that an invalid date fails them. */
export function validityAt(
  { validFrom, validUntil }: Pick<TrustedSigner, 'validFrom' | 'validUntil'>,
  now: Date,
): 'accepted' | 'expired' | 'not-yet-valid' {
  if (validFrom !== undefined && !(now >= validFrom)) return 'not-yet-valid';
  if (validUntil !== undefined && !(now < validUntil)) return 'expired';
  return 'accepted';
}

/**
 * Whether a signer is revoked as a whole. An identity by pattern never is: other subjects may match it.
 */
export function isRevoked(policy: TrustPolicy, signer: TrustedSigner): boolean {
  if (signer.kind === 'key') return policy.revokedKeys.has(signer.publicKey.keyId);
  const { issuer, subject: rule } = signer;
  return (
    rule.kind === 'exact' &&
    revocationOf(policy, { kind: 'keyless', issuer, subject: rule.subject }) !== undefined
  );
}

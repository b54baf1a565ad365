import type { PublicKey } from '../keys/public-key.js';
import type { Grants } from './grants.js';
import type { NamePattern } from './name-pattern.js';

/**
 * Whose signatures count, how many of them a bundle needs, and what each may sign. Only `parseTrustPolicy` makes
 * one: ids and keys are distinct, groups name signers, and every threshold can be reached.
 */
export interface TrustPolicy {
  /** Of a signed trust policy; at least 1. */
  readonly version?: number;
  /** First moment at which the policy accepts nothing any more. */
  readonly expires?: Date;
  /** Number of distinct signers, at least 1. */
  readonly threshold: number;
  /** Keys, then identities, each in the order of the file: an attestation counts for the first that it matches. */
  readonly signers: readonly TrustedSigner[];
  /** Ids of signers by the name of their group. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
  /** What is required beside {@link threshold}, all of it at once. */
  readonly requirements: readonly GroupRequirement[];
  /** Reasons by key id (lower-case hexadecimal SHA-256 of the SPKI DER). */
  readonly revokedKeys: ReadonlyMap<string, string>;
  readonly revokedIdentities: readonly RevokedIdentity[];
  /** Reasons by digest (`sha256:<hex>`) of a manifest, policy, object, or a program's instructions. */
  readonly revokedDigests: ReadonlyMap<string, string>;
  /** Lowest accepted version (Semantic Versioning 2.0.0) by the name of a bundle. */
  readonly minimumVersions: ReadonlyMap<string, string>;
  /** The JSON of a Sigstore TrustedRoot, not yet looked at; there when an identity is among the signers. */
  readonly trustedRoot?: Readonly<Record<string, unknown>>;
  readonly provenance?: ProvenanceRequirement;
  readonly rootKeys?: RootKeys;
}

export type TrustedSigner = TrustedKey | TrustedIdentity;

/** What keys and identities have in common. */
export interface SignerTerms {
  /** Name in messages, groups and events. */
  readonly id: string;
  /** First moment at which its signatures count. */
  readonly validFrom?: Date;
  /** First moment at which they no longer count. */
  readonly validUntil?: Date;
  /** Absent: it may sign everything. */
  readonly may?: Grants;
}

export interface TrustedKey extends SignerTerms {
  readonly kind: 'key';
  readonly publicKey: PublicKey;
}

/** Who holds a short-lived Sigstore certificate of this issuer and subject. */
export interface TrustedIdentity extends SignerTerms {
  readonly kind: 'keyless';
  /** OpenID Connect issuer, compared exactly. */
  readonly issuer: string;
  readonly subject: SubjectRule;
}

/** A subject alternative name that is compared exactly, or a pattern for the whole of it. */
export type SubjectRule =
  | { readonly kind: 'exact'; readonly subject: string }
  | { readonly kind: 'pattern'; readonly pattern: NamePattern };

export interface GroupRequirement {
  readonly group: string;
  /** Number of distinct members, at least 1. */
  readonly threshold: number;
}

export interface RevokedIdentity {
  readonly issuer: string;
  readonly subject: string;
  readonly reason: string;
}

/** At least one trusted signer's SLSA provenance has to state one of each list that is there. */
export interface ProvenanceRequirement {
  readonly builders?: readonly string[];
  readonly repositories?: readonly string[];
}

/** Who signs the next trust policy. */
export interface RootKeys {
  readonly threshold: number;
  readonly keys: readonly PublicKey[];
}

import type { ErrorCode } from '../../engine/errors/index.js';

/** Whose signature was verified: a key, or the subject of a Sigstore certificate. */
export type SignerIdentity =
  | { readonly kind: 'key'; readonly keyId: string }
  | { readonly kind: 'keyless'; readonly issuer: string; readonly subject: string };

/** What the trust policy thinks of a signer whose signature is good. */
export type Standing = 'accepted' | 'unknown' | 'expired' | 'not-yet-valid' | 'revoked';

/** The parts of a signer's `may`. */
export type GrantName =
  | 'bundles'
  | 'programTypes'
  | 'attachTypes'
  | 'attachTargets'
  | 'helpers'
  | 'kfuncs'
  | 'effects';

/** One thing in a bundle that a signer may not sign. */
export interface MissingGrant {
  /** Where: `bundle edge-1`, `program file.bpf.o#lsm/file_open/restrict`, `policy protect.yaml#protect-shadow`. */
  readonly subject: string;
  readonly grant: GrantName;
  /** What would have to be granted: `bpf_send_signal`. */
  readonly required: string;
  /** What is granted, as written in the trust policy. */
  readonly allowed: readonly string[];
  /** The pattern that denies it, when it is denied rather than not allowed. */
  readonly deniedBy?: string;
}

/** What became of one attestation. */
export interface SignerDecision {
  /** Id in the trust policy; absent when it names no such signer. */
  readonly id?: string;
  readonly identity: SignerIdentity;
  /** Digest of the attestation, `sha256:<hex>`. */
  readonly attestation: string;
  readonly standing: Standing;
  /** Why it is revoked, in the words of the trust policy. */
  readonly revocation?: string;
  /** Empty: entitled to all of the bundle. Absent: not judged, because the bundle was refused before. */
  readonly missingGrants?: readonly MissingGrant[];
  /** Whether it counts for the requirements; a second attestation of one signer does not. */
  readonly counted: boolean;
}

/** One threshold, and who counted for it. */
export interface RequirementDecision {
  /** `signers`, `group security`, or `provenance`. */
  readonly label: string;
  readonly needed: number;
  readonly counted: number;
  /** Ids of the signers that counted, in the order of the trust policy. */
  readonly by: readonly string[];
  readonly met: boolean;
}

/** Why a bundle is refused. */
export interface Refusal {
  /** Of exit code 3. */
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

/** What a trust policy says about a bundle, and why. */
export interface Decision {
  readonly accepted: boolean;
  readonly bundle: BundleIdentity;
  /** One for each attestation of the bundle's content, in the order of the bundle; none for provenance. */
  readonly signers: readonly SignerDecision[];
  readonly requirements: readonly RequirementDecision[];
  /** There exactly when the bundle is not accepted. */
  readonly refusal?: Refusal;
}

export interface BundleIdentity {
  readonly name: string;
  /** Semantic Versioning 2.0.0. */
  readonly version?: string;
  /** Digest of the manifest, `sha256:<hex>`. */
  readonly digest: string;
}

import { defineSchema } from '../documents/signed-document.js';
import type { GrantsDocument } from './grants.js';
import { TRUST_POLICY_SCHEMA } from './trust-policy-schema.generated.js';

/** A trust policy as its author writes it; trust-policy.schema.json is its JSON Schema. */
export interface TrustPolicyDocument {
  readonly apiVersion: 'vespid.dev/v1';
  readonly kind: 'TrustPolicy';
  readonly version?: number;
  readonly expires?: string;
  readonly threshold: number;
  readonly keys?: readonly KeyDocument[];
  readonly identities?: readonly IdentityDocument[];
  readonly sigstore?: { readonly trustedRoot: string | Readonly<Record<string, unknown>> };
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  readonly require?: readonly { readonly group: string; readonly threshold: number }[];
  readonly revoked?: {
    readonly keys?: readonly { readonly keyId: string; readonly reason: string }[];
    readonly identities?: readonly {
      readonly issuer: string;
      readonly subject: string;
      readonly reason: string;
    }[];
    readonly digests?: readonly { readonly digest: string; readonly reason: string }[];
  };
  readonly minimumVersions?: Readonly<Record<string, string>>;
  readonly provenance?: { readonly builders?: readonly string[]; readonly repositories?: readonly string[] };
  readonly rootKeys?: { readonly threshold: number; readonly keys: readonly string[] };
}

/** What keys and identities have in common. */
export interface SignerTermsDocument {
  readonly id: string;
  readonly validFrom?: string;
  readonly validUntil?: string;
  readonly may?: GrantsDocument;
}

export interface KeyDocument extends SignerTermsDocument {
  /** A path, or a PEM text. */
  readonly publicKey: string;
}

export interface IdentityDocument extends SignerTermsDocument {
  readonly issuer: string;
  readonly subject?: string;
  readonly subjectPattern?: string;
}

export const checkTrustPolicyDocument = defineSchema<TrustPolicyDocument>(TRUST_POLICY_SCHEMA);

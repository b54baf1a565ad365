import { defineSchema } from '../documents/signed-document.js';

/** A trust policy as its author writes it. */
export interface TrustPolicyDocument {
  readonly apiVersion: 'vespid.dev/v1';
  readonly kind: 'TrustPolicy';
  readonly threshold: number;
  readonly keys: readonly TrustedKeyDocument[];
}

export interface TrustedKeyDocument {
  readonly id: string;
  readonly publicKey: string;
  readonly validFrom?: string;
  readonly validUntil?: string;
}

/** Keys in one policy: enough for every team of a large company, few enough to read. */
const MAX_KEYS = 256;

/** JSON Schema (2020-12) of a trust policy, for editors and for {@link checkTrustPolicyDocument}. */
export const TRUST_POLICY_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://vespid.dev/schema/trust-policy/v1',
  title: 'Vespid trust policy',
  type: 'object',
  additionalProperties: false,
  required: ['apiVersion', 'kind', 'threshold', 'keys'],
  properties: {
    apiVersion: { const: 'vespid.dev/v1' },
    kind: { const: 'TrustPolicy' },
    threshold: {
      description: 'How many distinct keys must have signed a bundle.',
      type: 'integer',
      minimum: 1,
    },
    keys: {
      description: 'Keys whose signatures count.',
      type: 'array',
      minItems: 1,
      maxItems: MAX_KEYS,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['id', 'publicKey'],
        properties: {
          id: {
            description: 'Name of the key in messages and events.',
            type: 'string',
            pattern: '^[A-Za-z0-9_][A-Za-z0-9._@-]{0,127}$',
          },
          publicKey: {
            description: 'Path of an SPKI PEM file, relative to this file.',
            type: 'string',
            minLength: 1,
            maxLength: 4096,
          },
          validFrom: {
            description: 'First moment at which signatures count, RFC 3339 date-time.',
            type: 'string',
          },
          validUntil: {
            description: 'First moment at which signatures no longer count, RFC 3339 date-time.',
            type: 'string',
          },
        },
      },
    },
  },
} as const;

export const checkTrustPolicyDocument = defineSchema<TrustPolicyDocument>(TRUST_POLICY_SCHEMA);

/**
 * A type-checked condition in the form that the compiler takes: CEL's syntax is gone, field names are those of
 * the hook catalogue, constants are literal. Every test compares one field with constants.
 */
export type Condition =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'and' | 'or'; readonly terms: readonly Condition[] }
  | { readonly kind: 'not'; readonly term: Condition }
  | Test;

export type Test =
  /** The field is `true`. */
  | { readonly kind: 'bool'; readonly field: string }
  /** The field equals one of the values. Enum fields come here too, with their numbers. */
  | { readonly kind: 'int-in'; readonly field: string; readonly values: readonly bigint[] }
  /** Unsigned order against a constant in 0..2^63-1. */
  | {
      readonly kind: 'int-order';
      readonly field: string;
      readonly operator: '<' | '<=' | '>' | '>=';
      readonly value: bigint;
    }
  /** The field equals one of the values, byte for byte. */
  | { readonly kind: 'string-in'; readonly field: string; readonly values: readonly string[] }
  | {
      readonly kind: 'string-prefix' | 'string-suffix' | 'string-contains';
      readonly field: string;
      readonly value: string;
    }
  /** The address lies in one of the ranges. */
  | { readonly kind: 'ip-in'; readonly field: string; readonly ranges: readonly IpRange[] };

/** `bytes` has 4 or 16 entries; bits past `prefixLength` are zero. */
export interface IpRange {
  readonly family: 'ipv4' | 'ipv6';
  readonly bytes: readonly number[];
  readonly prefixLength: number;
}

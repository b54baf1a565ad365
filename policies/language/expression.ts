import type { TextRange } from './condition-source.js';

export type EqualityOperator = '==' | '!=';
export type OrderOperator = '<' | '<=' | '>' | '>=';

/** A constant of CEL; `other` is one that no field can be compared with (double, uint, bytes, null). */
export type Literal =
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'int'; readonly value: bigint }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'other'; readonly name: string };

/**
 * A type-checked CEL expression, freed of the parser's own types. Chains of `&&` and `||` are flat, double
 * negations are gone and a minus sign is part of its literal.
 */
export type Expression = TextRange &
  (
    | { readonly kind: 'literal'; readonly literal: Literal }
    | { readonly kind: 'field'; readonly name: string }
    | { readonly kind: 'list'; readonly items: readonly Expression[] }
    | { readonly kind: 'and' | 'or'; readonly terms: readonly Expression[] }
    | { readonly kind: 'not'; readonly term: Expression }
    | {
        readonly kind: 'conditional';
        readonly test: Expression;
        readonly whenTrue: Expression;
        readonly whenFalse: Expression;
      }
    | {
        readonly kind: 'equality';
        readonly operator: EqualityOperator;
        readonly left: Expression;
        readonly right: Expression;
      }
    | {
        readonly kind: 'order';
        readonly operator: OrderOperator;
        readonly left: Expression;
        readonly right: Expression;
      }
    | { readonly kind: 'membership'; readonly item: Expression; readonly set: Expression }
    | {
        readonly kind: 'call';
        readonly name: string;
        readonly receiver: Expression | undefined;
        readonly args: readonly Expression[];
      }
    /** Good CEL that no field of ours has a use for; `what` completes "... cannot stand in a condition". */
    | { readonly kind: 'other'; readonly what: string }
  );

import type { Effect } from '../../lsm-hooks/index.js';
import type { Severity } from './severity.js';

/** What a rule bit of a record stands for, and what the kernel that runs the program makes of it. */
export interface ProgramRule {
  readonly policy: string;
  /** Index of the rule within its policy. */
  readonly rule: number;
  /** What the policy asks for. */
  readonly effect: Effect;
  /** What this kernel delivers; weaker than `effect` only when the operator allowed it. */
  readonly delivered: Effect;
  /** Why `delivered` is weaker than `effect`; must be there if it is. */
  readonly degradedReason?: string;
  readonly severity: Severity;
  /** ATT&CK technique ids. */
  readonly attack: readonly string[];
  /** The condition as written. */
  readonly source: string;
}

/** A loaded program. Entries are compared by identity: give the same object for as long as it stays the same. */
export type ProgramEntry =
  /** Index of a rule = its bit in the record. */
  | { readonly kind: 'rules'; readonly bundleDigest: string; readonly rules: readonly ProgramRule[] }
  /** The gate has no rule bits: each of its records is of this one rule. */
  | { readonly kind: 'gate'; readonly bundleDigest: string; readonly rule: ProgramRule };

/** By program cookie, which the loader gives. */
export type ProgramTable = ReadonlyMap<number, ProgramEntry>;

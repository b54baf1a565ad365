import type { Effect } from '../../lsm-hooks/index.js';
import type { Condition } from './condition.js';

export type Severity = 'info' | 'low' | 'medium' | 'high' | 'critical';

/** A policy that has passed every check; the compiler's input. */
export interface CheckedPolicy {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** One line for people, or empty. */
  readonly description: string;
  readonly severity: Severity;
  /** ATT&CK v19 technique ids, each known to rules-mitre. */
  readonly attack: readonly string[];
  readonly rules: readonly CheckedRule[];
}

export interface CheckedRule {
  /** Name of a hook of the catalogue. */
  readonly hook: string;
  readonly effect: Effect;
  readonly condition: Condition;
  /** The CEL text as written, for events and reports. */
  readonly source: string;
}

import { EFFECTS, type Effect } from '../../lsm-hooks/index.js';
import type { Severity } from '../../policies/language/index.js';
import { VespidError } from '../errors/index.js';

/** Where a rule bit of a record comes from. */
export interface RuleOrigin {
  readonly policy: string;
  /** Index of the rule within its policy. */
  readonly rule: number;
  readonly effect: Effect;
  readonly severity: Severity;
  /** ATT&CK technique ids. */
  readonly attack: readonly string[];
  /** The condition as written. */
  readonly source: string;
}

/** What an object of ours says about itself in its `.vespid` section; signed with the object. */
export interface RuleTable {
  readonly format: 1;
  readonly hook: string;
  /** Index = bit of the record. */
  readonly rules: readonly RuleOrigin[];
  /** Attach candidates left out, with the fields that the rules need and that cannot be read there. */
  readonly unreadable: Readonly<Record<string, readonly string[]>>;
}

export function encodeRuleTable(table: RuleTable): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(table));
}

/** @throws VespidError OBJECT_METADATA_MALFORMED */
export function decodeRuleTable(bytes: Uint8Array, objectName: string): RuleTable {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw malformed(objectName, 'it is not JSON', cause);
  }
  if (!isRuleTable(value)) throw malformed(objectName, 'it is not a rule table of format 1');
  return value;
}

function malformed(objectName: string, why: string, cause?: unknown): VespidError {
  return new VespidError('OBJECT_METADATA_MALFORMED', `${objectName}: section .vespid is unusable: ${why}`, {
    cause,
    hint: 'compile and sign the policies again with this version',
  });
}

function isRuleTable(value: unknown): value is RuleTable {
  return (
    isRecord(value) &&
    value['format'] === 1 &&
    typeof value['hook'] === 'string' &&
    Array.isArray(value['rules']) &&
    value['rules'].every(isRuleOrigin) &&
    isRecord(value['unreadable']) &&
    Object.values(value['unreadable']).every(isStringArray)
  );
}

const SEVERITIES: readonly unknown[] = ['info', 'low', 'medium', 'high', 'critical'] satisfies Severity[];

function isRuleOrigin(value: unknown): value is RuleOrigin {
  return (
    isRecord(value) &&
    typeof value['policy'] === 'string' &&
    Number.isInteger(value['rule']) &&
    (EFFECTS as readonly unknown[]).includes(value['effect']) &&
    SEVERITIES.includes(value['severity']) &&
    isStringArray(value['attack']) &&
    typeof value['source'] === 'string'
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

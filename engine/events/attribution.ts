import { EFFECTS } from '../../lsm-hooks/index.js';
import { findTechnique } from '../../rules-mitre/index.js';
import { VespidError } from '../errors/index.js';
import type { EventTechnique, VespidEvent } from './event.js';
import type { ProgramEntry, ProgramRule } from './program-table.js';
import { compareSeverity } from './severity.js';

/** The part of an event that follows from which rules of which program matched. */
export type Attribution = Pick<VespidEvent, 'degraded' | 'severity' | 'policy' | 'matches' | 'attack'>;

/** Combinations of rules remembered for a program: hosts show few; an attacker must not fill the memory. */
const REMEMBERED_COMBINATIONS = 1024;

const remembered = new WeakMap<ProgramEntry, Map<bigint, Attribution>>();

/**
 * The attribution of a record, shared between all events of the same combination of rules.
 *
 * @throws VespidError EVENT_RULE_UNKNOWN if no bit is set or a bit stands for no rule
 */
export function attributionOf(entry: ProgramEntry, matchedRules: bigint): Attribution {
  let combinations = remembered.get(entry);
  if (combinations === undefined) {
    combinations = new Map();
    remembered.set(entry, combinations);
  }
  const known = combinations.get(matchedRules);
  if (known !== undefined) return known;
  const attribution = attribute(entry.bundleDigest, rulesOf(entry, matchedRules));
  if (combinations.size >= REMEMBERED_COMBINATIONS) combinations.clear();
  combinations.set(matchedRules, attribution);
  return attribution;
}

function rulesOf(entry: ProgramEntry, matchedRules: bigint): readonly ProgramRule[] {
  if (entry.kind === 'gate') return [entry.rule];
  const rules = entry.rules.filter((_, bit) => ((matchedRules >> BigInt(bit)) & 1n) === 1n);
  if (matchedRules === 0n || matchedRules >> BigInt(entry.rules.length) !== 0n) {
    throw new VespidError(
      'EVENT_RULE_UNKNOWN',
      `event record: matched rules 0x${matchedRules.toString(16)}, expected some of the program's ${entry.rules.length}`,
      { hint: 'the loaded program and its rule table are not of the same bundle' },
    );
  }
  return rules;
}

function attribute(bundle: string, rules: readonly ProgramRule[]): Attribution {
  const primary = rules.reduce((best, rule) => (outranks(rule, best) ? rule : best));
  const severity = rules.reduce((gravest, rule) =>
    compareSeverity(rule.severity, gravest.severity) > 0 ? rule : gravest,
  ).severity;
  return {
    ...degradation(rules),
    severity,
    policy: { name: primary.policy, rule: primary.rule, bundle },
    matches: rules.map((rule) => ({
      policy: rule.policy,
      rule: rule.rule,
      effect: rule.effect,
      severity: rule.severity,
      source: rule.source,
    })),
    attack: techniques([primary, ...rules]),
  };
}

function outranks(rule: ProgramRule, best: ProgramRule): boolean {
  const effect = EFFECTS.indexOf(rule.delivered) - EFFECTS.indexOf(best.delivered);
  return effect > 0 || (effect === 0 && compareSeverity(rule.severity, best.severity) > 0);
}

function degradation(rules: readonly ProgramRule[]): Pick<Attribution, 'degraded'> {
  const strongest = rules
    .filter((rule) => rule.delivered !== rule.effect)
    .reduce<ProgramRule | undefined>(
      (best, rule) =>
        best === undefined || EFFECTS.indexOf(rule.effect) > EFFECTS.indexOf(best.effect) ? rule : best,
      undefined,
    );
  if (strongest === undefined) return {};
  return {
    degraded: {
      requested: strongest.effect,
      reason: strongest.degradedReason ?? `this kernel delivers ${strongest.delivered} at most`,
    },
  };
}

/** Each technique once. A policy's ids are checked when it is compiled; one that is unknown here keeps its id. */
function techniques(rules: readonly ProgramRule[]): EventTechnique[] {
  return [...new Set(rules.flatMap((rule) => rule.attack))].map((id) => {
    const known = findTechnique(id);
    return {
      id,
      name: known?.name ?? id,
      tactics: known?.tactics ?? [],
      url: `https://attack.mitre.org/techniques/${id.replace('.', '/')}/`,
    };
  });
}

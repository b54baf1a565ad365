import type { ProgramEntry, ProgramRule, ProgramTable } from '../events/index.js';
import { GATE_COOKIE, type GateMode, type RulePlan } from '../loader/index.js';

/** What the gate's records stand for: there is no signed bundle behind them. */
const GATE_BUNDLE = 'builtin:gate';

/** For each object in the order of loading: its rules and the bundle that it came in; undefined for a foreign one. */
export interface TabledObject {
  readonly bundleDigest: string;
  readonly rules: RulePlan | undefined;
}

/** What each cookie in a record stands for: object n has the cookie n + 1, the gate its own. */
export function programTable(objects: readonly TabledObject[], gate: GateMode | undefined): ProgramTable {
  const table = new Map<number, ProgramEntry>();
  for (const [index, { bundleDigest, rules }] of objects.entries()) {
    if (rules !== undefined)
      table.set(index + 1, { kind: 'rules', bundleDigest, rules: programRules(rules) });
  }
  if (gate !== undefined)
    table.set(GATE_COOKIE, { kind: 'gate', bundleDigest: GATE_BUNDLE, rule: gateRule(gate) });
  return table;
}

function programRules({ table, degraded }: RulePlan): ProgramRule[] {
  return table.rules.map((rule, index) => {
    const weaker = degraded.get(index);
    return {
      ...rule,
      delivered: weaker?.delivered ?? rule.effect,
      ...(weaker === undefined ? {} : { degradedReason: weaker.reason }),
    };
  });
}

/** Loading an unsigned BPF program is how a BPF rootkit begins: ATT&CK T1014. */
function gateRule(mode: GateMode): ProgramRule {
  const effect = mode === 'enforce' ? 'deny' : 'audit';
  return {
    policy: 'vespid-gate',
    rule: 0,
    effect,
    delivered: effect,
    severity: 'critical',
    attack: ['T1014'],
    source: 'the program has no ticket: it is in no bundle that this node trusts',
  };
}

import { findField, POLICY_HOOKS } from '../../lsm-hooks/index.js';
import type { CheckedPolicy, CheckedRule } from './checked-policy.js';
import { fieldsOf } from './condition-tests.js';

/** What is allowed but probably not meant, one sentence each; empty if nothing is. */
export function policyWarnings(policy: CheckedPolicy): string[] {
  return policy.rules.flatMap((rule, index) =>
    ruleWarnings(rule).map((warning) => `policy ${policy.name}, rules[${index}] (${rule.hook}): ${warning}`),
  );
}

function ruleWarnings(rule: CheckedRule): string[] {
  const warnings: string[] = [];
  const { condition, effect } = rule;
  if (condition.kind === 'constant' && !condition.value) {
    warnings.push('the condition is never true, so the rule does nothing');
  }
  if (effect === 'audit') return warnings;
  if (condition.kind === 'constant' && condition.value) {
    warnings.push(`the condition is always true, so every ${rule.hook} meets the effect ${effect}`);
  }
  const hook = POLICY_HOOKS.get(rule.hook);
  for (const name of fieldsOf(condition)) {
    if (hook === undefined || findField(hook, name)?.callerControlled !== true) continue;
    warnings.push(
      `${effect} depends on ${name}, which the caller can change while it is read; use it to audit only`,
    );
  }
  return warnings;
}

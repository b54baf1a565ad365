import { suggestName } from '../../engine/errors/index.js';
import { POLICY_HOOKS } from '../../lsm-hooks/index.js';
import { ATTACK_VERSION, findTechnique, replacementFor } from '../../rules-mitre/index.js';
import { checkSchema, type PolicyForm } from './check-schema.js';
import type { CheckedPolicy, CheckedRule } from './checked-policy.js';
import type { Condition } from './condition.js';
import { ALWAYS } from './condition-builders.js';
import { scalarSource } from './condition-source.js';
import { lowerCondition } from './lower-condition.js';
import { refuseNotYetSupported } from './not-yet-supported.js';
import type { PolicyDocument } from './policy-document.js';

/**
 * Checks one YAML document: its form, its technique ids, and each rule's hook and condition.
 *
 * @throws VespidError with a POLICY_ code and a location
 */
export function checkPolicy(document: PolicyDocument): CheckedPolicy {
  refuseNotYetSupported(document);
  const form = checkSchema(document);
  const attack = form.spec.attack ?? [];
  for (const [index, id] of attack.entries()) checkTechnique(document, id, index);
  return {
    name: form.metadata.name,
    labels: { ...form.metadata.labels },
    description: form.metadata.description ?? '',
    severity: form.spec.severity,
    attack: [...attack],
    rules: form.spec.rules.map((rule, index) => checkRule(document, rule, index)),
  };
}

function checkTechnique(document: PolicyDocument, id: string, index: number): void {
  if (findTechnique(id) !== undefined) return;
  const replacement = replacementFor(id);
  const name = replacement === undefined ? undefined : findTechnique(replacement)?.name;
  throw document.error(
    'POLICY_ATTACK_UNKNOWN',
    document.locateValue(['spec', 'attack', index]),
    replacement === undefined
      ? `${id} is not a technique of ATT&CK v${ATTACK_VERSION} for Linux or containers`
      : `ATT&CK v${ATTACK_VERSION} retired ${id}`,
    replacement === undefined ? 'look the id up at https://attack.mitre.org' : `use ${replacement} (${name})`,
  );
}

function checkRule(
  document: PolicyDocument,
  rule: PolicyForm['spec']['rules'][number],
  index: number,
): CheckedRule {
  const path = ['spec', 'rules', index] as const;
  const hook = POLICY_HOOKS.get(rule.hook);
  if (hook === undefined) {
    // The schema's list of hooks is held to the catalogue by a test; this is for the day it is not.
    throw document.error(
      'POLICY_UNKNOWN_HOOK',
      document.locateValue([...path, 'hook']),
      `there is no hook ${rule.hook}`,
      suggestName(rule.hook, [...POLICY_HOOKS.keys()]),
    );
  }
  const scalar = document.scalarAt([...path, 'when']);
  let condition: Condition = ALWAYS;
  let source = 'true';
  if (scalar !== undefined) {
    condition = lowerCondition(scalarSource(document, scalar), hook);
    source = String(scalar.value).trim();
  }
  return { hook: hook.name, effect: rule.effect, condition, source };
}

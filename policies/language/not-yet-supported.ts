import type { VespidError } from '../../engine/errors/index.js';
import { type DocumentPath, formatPath, type PolicyDocument } from './policy-document.js';

/** Parts of the documented form that are still to come: refused by name, never ignored. */
const SPEC_KEYS: Readonly<Record<string, string>> = {
  scope: 'limit the policy by starting the agent with --cgroup',
  exceptions: 'write the exception into the condition: when: ... && !(...)',
  tests: 'leave the tests out',
};

function asMapping(value: unknown): Readonly<Record<string, unknown>> | undefined {
  // A mapping of YAML is an object without a prototype, so any key may be asked for.
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

/**
 * Refuses what is documented but still to come, before the schema would call it unknown.
 *
 * @throws VespidError POLICY_NOT_YET_SUPPORTED
 */
export function refuseNotYetSupported(document: PolicyDocument): void {
  const root = asMapping(document.value);
  if (root?.['kind'] === 'TracingPolicy') {
    throw notYet(document, ['kind'], 'kind TracingPolicy', 'write it as kind: Policy of vespid.dev/v1');
  }
  const spec = asMapping(root?.['spec']);
  for (const [key, hint] of Object.entries(SPEC_KEYS)) {
    if (spec?.[key] !== undefined) throw notYet(document, ['spec', key], formatPath(['spec', key]), hint);
  }
  const rules = spec?.['rules'];
  if (!Array.isArray(rules)) return;
  for (const [index, rule] of rules.entries()) {
    if (asMapping(rule)?.['effect'] !== 'signal') continue;
    throw notYet(
      document,
      ['spec', 'rules', index, 'effect'],
      'the effect signal',
      'use kill, deny or audit',
    );
  }
}

function notYet(document: PolicyDocument, path: DocumentPath, what: string, hint: string): VespidError {
  const location =
    path.at(-1) === 'effect' || path.length === 1 ? document.locateValue(path) : document.locateKey(path);
  return document.error('POLICY_NOT_YET_SUPPORTED', location, `${what} is not yet supported`, hint);
}

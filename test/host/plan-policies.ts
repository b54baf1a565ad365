import { compilePolicies } from '../../engine/compiler/index.js';
import { type KernelFeatures, probeKernel } from '../../engine/kernel/index.js';
import { type ObjectPlan, planObject } from '../../engine/loader/index.js';
import { parsePolicies } from '../../policies/language/index.js';

let features: KernelFeatures | undefined;

/** This machine's kernel; probed once. */
export function hostFeatures(): KernelFeatures {
  features ??= probeKernel();
  return features;
}

/** The text of a policy with one rule. */
export function onePolicy(hook: string, when: string, effect: string, name = 'sample'): string {
  return `apiVersion: vespid.dev/v1
kind: Policy
metadata: { name: ${name} }
spec:
  severity: high
  attack: [T1003.008]
  rules:
    - { hook: ${hook}, effect: ${effect}, when: ${JSON.stringify(when)} }
`;
}

/** Policy text compiled, read again and planned for this kernel, as an agent does with a bundle's objects. */
export function planPolicies(policies: string, options: { readonly degrade: boolean }): ObjectPlan[] {
  return compilePolicies(parsePolicies(policies, 'test.yaml')).map(({ name, bytes }) =>
    planObject({ name, bytes }, hostFeatures(), options),
  );
}

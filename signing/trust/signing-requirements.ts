import type { RequirementDecision } from './decision.js';
import type { TrustPolicy } from './trust-policy.js';

/**
 * Holds signers against the overall threshold, then against each group's.
 *
 * @param signerIds ids in the trust policy; one that comes twice counts once, one that it does not name not at all
 */
export function requirementsOf(
  policy: TrustPolicy,
  signerIds: Iterable<string>,
): readonly RequirementDecision[] {
  const signed = new Set(signerIds);
  const everyone = policy.signers.map(({ id }) => id);
  return [
    // Nobody's signature is never enough, also for a policy that was not made by parseTrustPolicy.
    requirement('signers', Math.max(1, policy.threshold), everyone, signed),
    ...policy.requirements.map(({ group, threshold }) =>
      requirement(`group ${group}`, threshold, policy.groups.get(group) ?? [], signed),
    ),
  ];
}

function requirement(
  label: string,
  needed: number,
  members: readonly string[],
  signed: ReadonlySet<string>,
): RequirementDecision {
  const by = members.filter((id) => signed.has(id));
  return { label, needed, counted: by.length, by, met: by.length >= needed };
}

import { suggestName } from '../../engine/errors/index.js';
import type { PolicyFile } from './policy-file.js';
import { isRevoked } from './signer-standing.js';
import type { TrustPolicy } from './trust-policy.js';
import type { TrustPolicyDocument } from './trust-policy-document.js';

/**
 * Checks that groups and requirements speak about what there is.
 *
 * @throws VespidError TRUST_POLICY_GROUP_INVALID
 */
export function checkGroups(
  document: TrustPolicyDocument,
  policy: TrustPolicy,
  { source }: PolicyFile,
): void {
  const ids = policy.signers.map(({ id }) => id);
  for (const [group, members] of policy.groups) {
    for (const [index, member] of members.entries()) {
      if (ids.includes(member)) continue;
      const message = `expected the id of a key or identity in group ${group}, found ${member}`;
      throw source.fault('TRUST_POLICY_GROUP_INVALID', message, ['groups', group, index], {
        hint: suggestName(member, ids),
      });
    }
  }
  const required = new Set<string>();
  for (const [index, { group }] of (document.require ?? []).entries()) {
    const path = ['require', index, 'group'];
    if (!policy.groups.has(group)) {
      const message = `expected the name of a group, found ${group}`;
      const names = [...policy.groups.keys()];
      const hint = names.length === 0 ? 'define it under groups' : suggestName(group, names);
      throw source.fault('TRUST_POLICY_GROUP_INVALID', message, path, { hint });
    }
    if (required.has(group)) {
      const message = `expected each group once under require, found ${group} again`;
      const hint = 'keep the entry with the higher threshold: all of them have to be met';
      throw source.fault('TRUST_POLICY_GROUP_INVALID', message, path, { hint });
    }
    required.add(group);
  }
}

/**
 * Checks that the thresholds can be met by signers that are not revoked. Signers may count for several groups, so
 * all thresholds can be met together when each can.
 *
 * @throws VespidError TRUST_POLICY_THRESHOLD_UNREACHABLE
 */
export function checkThresholds(policy: TrustPolicy, { source }: PolicyFile): void {
  const usable = new Set(policy.signers.filter((signer) => !isRevoked(policy, signer)).map(({ id }) => id));
  const refuseAbove = (threshold: number, reachable: number, what: string, path: (string | number)[]) => {
    if (threshold <= reachable) return;
    throw source.fault(
      'TRUST_POLICY_THRESHOLD_UNREACHABLE',
      `expected a threshold of at most ${reachable}, the number of ${what}, found ${threshold}`,
      path,
      { hint: 'lower the threshold or add signers; as it is, no bundle could ever be accepted' },
    );
  };
  const remark =
    policy.revokedKeys.size + policy.revokedIdentities.length === 0 ? '' : ' that are not revoked';
  refuseAbove(policy.threshold, usable.size, `keys and identities${remark}`, ['threshold']);
  for (const [index, { group, threshold }] of policy.requirements.entries()) {
    const members = policy.groups.get(group) ?? [];
    const reachable = members.filter((id) => usable.has(id)).length;
    refuseAbove(threshold, reachable, `members of group ${group}${remark}`, ['require', index, 'threshold']);
  }
}

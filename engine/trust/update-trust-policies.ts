import type { NodeMemory, VerifiedTrustPolicy } from '../../signing/index.js';
import { VespidError } from '../errors/index.js';
import { openTrustPolicyIn } from './open-trust-policy.js';
import type { StateFile } from './state-file.js';

/** One step of an update. */
export interface AppliedTrustPolicy {
  readonly file: string;
  readonly verified: VerifiedTrustPolicy;
  /** Version that was remembered before; undefined when this is the first. */
  readonly from: number | undefined;
}

/**
 * Makes a node remember signed trust policies, each continuing from the one before: all of them or none. Only the last
 * has to be unexpired: those in between lead from the old root to the new one, as TUF clients walk through every
 * version of the root (TUF spec 1.0.33, section 5.3).
 *
 * @param files in the order of their versions
 * @param pins as for `openTrustPolicyIn`
 * @throws VespidError TRUST_POLICY_*, KEY_*, INPUT_*, TRUST_STATE_*
 */
export function updateTrustPolicies(
  state: StateFile,
  files: readonly string[],
  pins: readonly string[],
  now: Date,
): readonly AppliedTrustPolicy[] {
  let applied: AppliedTrustPolicy[] = [];
  state.update((remembered) => {
    applied = [];
    let memory: NodeMemory = remembered;
    for (const [index, file] of files.entries()) {
      const isLast = index === files.length - 1;
      const opened = openTrustPolicyIn(file, { now: isLast ? now : undefined, memory, pins });
      if (opened.signed === undefined) throw unsigned(file);
      applied.push({ file, verified: opened.signed, from: memory.trustPolicy?.version });
      memory = opened.remember(memory);
    }
    return memory;
  });
  return applied;
}

function unsigned(file: string): VespidError {
  return new VespidError(
    'TRUST_POLICY_UNSIGNED',
    `${file}: expected a trust policy that is signed by root keys, found a plain one`,
    {
      hint: 'sign it: vespid trust sign; a plain trust policy needs no update, `vespid run --trust` reads it',
    },
  );
}

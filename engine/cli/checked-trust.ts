import {
  type BundleRelease,
  checkBundleVersion,
  EMPTY_MEMORY,
  type TrustPolicy,
} from '../../signing/index.js';
import { openTrustPolicyIn, StateFile } from '../trust/index.js';
import { rootPins } from './root-pins.js';

/** As commands that judge bundles without running them take it. */
export interface CheckedTrustOptions {
  readonly trust: string;
  /** The memory of a node, to judge as it would; undefined: as a node without one. */
  readonly state?: string;
  /** Root keys: key ids or paths. */
  readonly root?: readonly string[];
}

/** What bundles are judged by. */
export interface CheckedTrust {
  readonly policy: TrustPolicy;
  /** @throws VespidError BUNDLE_ROLLBACK, BUNDLE_VERSION_REUSED, BUNDLE_VERSION_MISSING */
  readonly checkVersion: (bundle: BundleRelease) => void;
}

/**
 * Opens a trust policy, and a node's memory to hold it and bundles against. Nothing is recorded.
 *
 * @throws VespidError TRUST_POLICY_*, TRUST_STATE_*, KEY_*, INPUT_*
 */
export function openCheckedTrust({ trust, state, root }: CheckedTrustOptions, now: Date): CheckedTrust {
  const memory = state === undefined ? EMPTY_MEMORY : new StateFile(state).read();
  const { policy } = openTrustPolicyIn(trust, { now, memory, pins: rootPins(root) });
  return { policy, checkVersion: (bundle) => checkBundleVersion(memory, bundle) };
}

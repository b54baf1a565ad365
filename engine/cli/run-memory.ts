import {
  type BundleRelease,
  EMPTY_MEMORY,
  type NodeMemory,
  rememberBundle,
  type TrustPolicy,
} from '../../signing/index.js';
import { type OpenedTrustPolicy, openTrustPolicyIn, StateFile } from '../trust/index.js';
import type { AgentLog } from './agent-log.js';

/**
 * What a run asks of the node's memory, and when.
 *
 * - A trust policy is recorded as soon as it is accepted, whatever becomes of the bundles: it may be what revokes them.
 * - Bundles are checked before anything of them is loaded, and recorded when the kernel has taken every program and
 *   none has an effect yet. So nothing ever took effect that is not remembered, and a crash at any moment lets neither
 *   an older bundle in nor the same one out; and a bundle that this kernel refuses does not lock out the last good one.
 */
export class RunMemory {
  readonly #state: StateFile | undefined;
  readonly #log: AgentLog;

  /** @param path undefined: no memory */
  constructor(path: string | undefined, log: AgentLog) {
    this.#state = path === undefined ? undefined : new StateFile(path);
    this.#log = log;
  }

  /** @throws VespidError TRUST_POLICY_*, TRUST_STATE_*, KEY_*, INPUT_* */
  openTrust(file: string, pins: readonly string[], now: Date): TrustPolicy {
    const memory = this.#read();
    const opened = openTrustPolicyIn(file, { now, memory, pins });
    if (opened.signed !== undefined) {
      this.#state?.update(opened.remember);
      this.#log.notice(signedNotice(opened.signed, memory.trustPolicy === undefined && pins.length === 0));
    }
    if (this.#state === undefined) {
      this.#log.notice({ level: 'warn', message: 'no state file: older versions of bundles are accepted' });
    }
    return opened.policy;
  }

  /** @throws VespidError BUNDLE_ROLLBACK, BUNDLE_VERSION_REUSED, BUNDLE_VERSION_MISSING, TRUST_STATE_* */
  check(bundles: readonly BundleRelease[]): void {
    if (this.#state !== undefined) bundles.reduce(rememberBundle, this.#read());
  }

  /** @throws VespidError TRUST_STATE_* */
  requireWritable(): void {
    this.#state?.requireWritable();
  }

  /** Checks again: another agent may have recorded a newer version. `@throws` VespidError as {@link check} */
  record(bundles: readonly BundleRelease[]): void {
    this.#state?.update((memory) => bundles.reduce(rememberBundle, memory));
  }

  #read(): NodeMemory {
    return this.#state?.read() ?? EMPTY_MEMORY;
  }
}

function signedNotice(
  { policy, digest, rootSigners }: NonNullable<OpenedTrustPolicy['signed']>,
  firstUse: boolean,
) {
  const remark = firstUse ? '; trusted on first use: nothing vouches for its root keys' : '';
  return {
    level: firstUse ? 'warn' : 'info',
    message: `trust policy version ${policy.version} (${digest.slice(0, 19)}), signed by ${rootSigners.length} root keys${remark}`,
    details: { trustPolicy: digest, version: policy.version, rootSigners },
  } as const;
}

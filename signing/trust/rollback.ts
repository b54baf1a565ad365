import { compare as compareVersions } from 'semver';
import { type ErrorCode, VespidError } from '../../engine/errors/index.js';
import type { NodeMemory, RememberedBundle, RememberedTrustPolicy } from './node-memory.js';

/** What rollback protection looks at; an accepted bundle has it. */
export interface BundleRelease {
  readonly name: string;
  /** Semantic Versioning 2.0.0; undefined when the bundle states none. */
  readonly version?: string | undefined;
  /** Digest of the manifest, `sha256:<hex>`. */
  readonly digest: string;
}

/**
 * Refuses a bundle that would take the node back: once a name had a version, a lower one, none at all, and other
 * content under the same one. Versions compare by precedence (SemVer 2.0.0 section 11), so build metadata makes no
 * other version.
 *
 * @throws VespidError BUNDLE_ROLLBACK, BUNDLE_VERSION_REUSED, BUNDLE_VERSION_MISSING
 */
export function checkBundleVersion(memory: NodeMemory, bundle: BundleRelease): void {
  const remembered = memory.bundles.get(bundle.name);
  if (remembered === undefined) return;
  if (bundle.version === undefined) {
    throw bundleRefusal('BUNDLE_VERSION_MISSING', bundle, remembered, 'a version that is at least');
  }
  const order = compareVersions(bundle.version, remembered.version);
  if (order < 0) throw bundleRefusal('BUNDLE_ROLLBACK', bundle, remembered, 'a version that is at least');
  if (order === 0 && bundle.digest !== remembered.digest) {
    throw bundleRefusal('BUNDLE_VERSION_REUSED', bundle, remembered, 'the content that was seen as');
  }
}

/**
 * The memory after a bundle took effect. An unversioned bundle leaves no trace.
 *
 * @throws VespidError as {@link checkBundleVersion}
 */
export function rememberBundle(memory: NodeMemory, bundle: BundleRelease): NodeMemory {
  checkBundleVersion(memory, bundle);
  const { name, version, digest } = bundle;
  if (version === undefined) return memory;
  return { ...memory, bundles: new Map(memory.bundles).set(name, { version, digest }) };
}

/** What rollback protection looks at of a trust policy whose signatures were verified. */
export type TrustPolicyRelease = RememberedTrustPolicy;

/**
 * Refuses a signed trust policy that would take the node back: a lower version, and other content under the same one.
 * That the root keys of the remembered policy signed the new one is checked before, with the signatures.
 *
 * @throws VespidError TRUST_POLICY_ROLLBACK, TRUST_POLICY_VERSION_REUSED
 */
export function checkTrustPolicy(memory: NodeMemory, policy: TrustPolicyRelease): void {
  const remembered = memory.trustPolicy;
  if (remembered === undefined || policy.version > remembered.version) return;
  if (policy.version === remembered.version && policy.digest === remembered.digest) return;
  const code = policy.version < remembered.version ? 'TRUST_POLICY_ROLLBACK' : 'TRUST_POLICY_VERSION_REUSED';
  throw new VespidError(
    code,
    `expected a trust policy above version ${remembered.version} (${remembered.digest}), which this node accepted, found version ${policy.version} (${policy.digest})`,
    {
      hint: 'give the newest trust policy, or sign the content of this one again with a higher version',
      details: { remembered: factsOf(remembered), found: factsOf(policy) },
    },
  );
}

/**
 * The memory after a trust policy was accepted.
 *
 * @throws VespidError as {@link checkTrustPolicy}
 */
export function rememberTrustPolicy(memory: NodeMemory, policy: TrustPolicyRelease): NodeMemory {
  checkTrustPolicy(memory, policy);
  const { version, digest, rootKeys } = policy;
  return { ...memory, trustPolicy: { version, digest, rootKeys } };
}

/** What an operator makes the node forget, on purpose. */
export type Forgettable =
  | { readonly kind: 'bundle'; readonly name: string }
  | { readonly kind: 'trustPolicy' };

/**
 * The memory without a bundle, or without the trust policy and its root keys: whatever comes next is the first again.
 *
 * @throws VespidError TRUST_STATE_NOT_REMEMBERED
 */
export function forget(memory: NodeMemory, what: Forgettable): NodeMemory {
  if (what.kind === 'trustPolicy') {
    if (memory.trustPolicy === undefined) throw notRemembered('a trust policy', memory);
    return { bundles: memory.bundles };
  }
  const bundles = new Map(memory.bundles);
  if (!bundles.delete(what.name)) throw notRemembered(`a bundle ${what.name}`, memory);
  return { ...memory, bundles };
}

function notRemembered(what: string, { bundles }: NodeMemory): VespidError {
  const names = [...bundles.keys()].sort();
  return new VespidError('TRUST_STATE_NOT_REMEMBERED', `expected ${what} in the node's memory, found none`, {
    hint: names.length === 0 ? 'it remembers no bundle' : `remembered bundles: ${names.join(', ')}`,
  });
}

function factsOf({ version, digest }: TrustPolicyRelease) {
  return { version, digest };
}

function bundleRefusal(
  code: ErrorCode,
  bundle: BundleRelease,
  remembered: RememberedBundle,
  expectation: string,
): VespidError {
  const { name, version, digest } = bundle;
  const found = version === undefined ? 'no version' : `version ${version}`;
  return new VespidError(
    code,
    `${name}: expected ${expectation} ${remembered.version} (${remembered.digest}), found ${found} (${digest})`,
    {
      hint: `to go back on purpose, make this node forget: vespid trust state forget ${name}`,
      details: { name, remembered, found: { version, digest } },
    },
  );
}

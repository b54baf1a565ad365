export { type EditedTrustPolicy, editTrustPolicy } from './edit/edit-trust-policy.js';
export type { Insertion } from './edit/insert-yaml.js';
export { unifiedDiff } from './edit/unified-diff.js';
export type { YamlValue } from './edit/yaml-fragment.js';
export {
  type OpenedTrustPolicy,
  openTrustPolicy,
  openTrustPolicyIn,
  type ReadTrustPolicy,
  readTrustPolicy,
  type TrustPolicyContext,
} from './open-trust-policy.js';
export { type KnownNames, policyWarnings } from './policy-warnings.js';
export { fetchSigstoreRoot, SIGSTORE_MIRROR_URL } from './sigstore-root.js';
export { DEFAULT_STATE_FILE, StateFile } from './state-file.js';
export { readTrustFile } from './trust-file.js';
export { type AppliedTrustPolicy, updateTrustPolicies } from './update-trust-policies.js';

export {
  type OpenedTrustPolicy,
  openTrustPolicy,
  openTrustPolicyIn,
  type TrustPolicyContext,
} from './open-trust-policy.js';
export { DEFAULT_STATE_FILE, StateFile } from './state-file.js';
export { readTrustFile, trustFileText } from './trust-file.js';

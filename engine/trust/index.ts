export { openTrustPolicy } from './open-trust-policy.js';

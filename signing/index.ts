export type { BundleFiles, BundleInput, NamedBytes } from './bundle-content.js';
export {
  type AttestationDescription,
  type BundleDescription,
  type FileDescription,
  inspectBundle,
} from './bundle-inspector.js';
export { BUNDLE_LIMITS } from './bundle-limits.js';
export { type VerifiedBundle, type VerifiedSigner, verifyBundle } from './bundle-verifier.js';
export { attestBundle, createBundle } from './bundle-writer.js';
export { generateKeyPair, type KeyPair, type PrivateKey, parsePrivateKey, type Signer } from './key-pair.js';
export { INDEX_PATH, isBundlePath, LAYOUT_PATH } from './oci-layout.js';
export { type MapClaim, normalizeProgramClaims, type ProgramClaim } from './program-claim.js';
export { type PublicKey, parsePublicKey } from './public-key.js';
export { parseTrustPolicy, type TrustedKey, type TrustPolicy } from './trust-policy.js';
export { TRUST_POLICY_SCHEMA } from './trust-policy-schema.js';

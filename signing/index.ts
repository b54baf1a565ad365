export { type AttestationSigner, KeySigner } from './attestation/attestation-signer.js';
export { type MapClaim, normalizeProgramClaims, type ProgramClaim } from './attestation/program-claim.js';
export type { BundleFiles, BundleInput, NamedBytes } from './bundle/bundle-content.js';
export {
  type AttestationDescription,
  type BundleDescription,
  type FileDescription,
  inspectBundle,
} from './bundle/bundle-inspector.js';
export { BUNDLE_LIMITS } from './bundle/bundle-limits.js';
export { type VerifiedBundle, type VerifiedSigner, verifyBundle } from './bundle/bundle-verifier.js';
export { attestBundle, createBundle } from './bundle/bundle-writer.js';
export { INDEX_PATH, isBundlePath, LAYOUT_PATH } from './bundle/oci-layout.js';
export {
  generateKeyPair,
  type KeyPair,
  type PrivateKey,
  parsePrivateKey,
} from './keys/key-pair.js';
export { type PublicKey, parsePublicKey } from './keys/public-key.js';
export type { Signer } from './keys/signer.js';
export { parseTrustPolicy, type TrustedKey, type TrustPolicy } from './trust/trust-policy.js';
export { TRUST_POLICY_SCHEMA } from './trust/trust-policy-schema.js';

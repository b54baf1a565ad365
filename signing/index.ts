/**
 * Signing and verifying bundles, over values: nothing here opens a file or a socket.
 *
 * - `createBundle` packs policies and objects and has signers (`KeySigner`) attest them; `addAttestation` adds one.
 * - `parseTrustPolicy` reads whose signatures count; `acceptBundle` gives the bundle that they vouch for or throws the
 *   refusal, `judgeBundle` gives the decision either way, `inspectBundle` only says what a bundle claims.
 * - `signTrustPolicy` and `verifySignedTrustPolicy` are the same for a trust policy under root keys.
 * - `checkBundleVersion`, `rememberBundle` and their like keep a node from going back, in a `NodeMemory`.
 */

export { type AttestationSigner, KeySigner } from './attestation/attestation-signer.js';
export { buildProvenance } from './attestation/build-provenance.js';
export { type BundlePredicate, normalizePredicate, PREDICATE_TYPE } from './attestation/bundle-predicate.js';
export type { PolicyClaim } from './attestation/policy-claim.js';
export {
  type MapClaim,
  type ProgramClaim,
  type ProgramEffect,
  programSubjectName,
} from './attestation/program-claim.js';
export { PROVENANCE_TYPE, type Provenance, readProvenanceFile } from './attestation/provenance.js';
export type { ProvenanceSource } from './attestation/provenance-source.js';
export {
  type Attestation,
  type CertificateMaterial,
  decodeSigstoreBundle,
  type KeyMaterial,
} from './attestation/sigstore-bundle.js';
export type { Statement, Subject } from './attestation/statement.js';
export type { StructOpsClaim, StructOpsMemberClaim } from './attestation/struct-ops-claim.js';
export { parseTrustedRoot } from './attestation/trusted-root.js';
export {
  AcceptedBundle,
  type BundleFacts,
  readVerifiedBundle,
  type VerifiedBundle,
  type VerifiedFile,
  type VerifiedProvenance,
  type VerifiedSigner,
} from './bundle/accepted-bundle.js';
export { addAttestation, type StatementCheck } from './bundle/attestation-adder.js';
export type { BpfmanLabels } from './bundle/bpfman-labels.js';
export type {
  BundleFiles,
  BundleInput,
  BundleOutline,
  FileDescription,
  NamedBytes,
} from './bundle/bundle-content.js';
export {
  type AttestationDescription,
  type BundleDescription,
  inspectBundle,
} from './bundle/bundle-inspector.js';
export { BUNDLE_LIMITS } from './bundle/bundle-limits.js';
export { type BundleSource, MemoryBundle } from './bundle/bundle-source.js';
export { acceptBundle, type Judgement, judgeBundle } from './bundle/bundle-verifier.js';
export { createBundle } from './bundle/bundle-writer.js';
export { INDEX_PATH, isBundlePath, LAYOUT_PATH } from './bundle/oci-layout.js';
export { canonicalJson } from './documents/canonical-json.js';
export { ED25519_SIGNATURE_BYTES, verifyEd25519 } from './keys/ed25519-verify.js';
export {
  generateKeyPair,
  isEncryptedPrivateKey,
  type KeyPair,
  type PrivateKey,
  parsePrivateKey,
} from './keys/key-pair.js';
export { type PublicKey, parsePublicKey } from './keys/public-key.js';
export type { Signer } from './keys/signer.js';
export type {
  BundleIdentity,
  Decision,
  GrantName,
  MissingGrant,
  Refusal,
  RequirementDecision,
  SignerDecision,
  SignerIdentity,
  Standing,
} from './trust/decision.js';
export type { CallGrant, Effect, Grants } from './trust/grants.js';
export { describeMissingGrant } from './trust/missing-grants.js';
export { matchesName, type NamePattern } from './trust/name-pattern.js';
export {
  decodeNodeMemory,
  EMPTY_MEMORY,
  encodeNodeMemory,
  type NodeMemory,
  type RememberedBundle,
  type RememberedTrustPolicy,
} from './trust/node-memory.js';
export { parseTrustPolicy } from './trust/parse-trust-policy.js';
export {
  type BundleRelease,
  checkBundleVersion,
  checkTrustPolicy,
  type Forgettable,
  forget,
  rememberBundle,
  rememberTrustPolicy,
} from './trust/rollback.js';
export { isSignedPolicy } from './trust/signed-policy-envelope.js';
export {
  type PolicyRoot,
  type SigningProgress,
  signingProgress,
  type VerifiedTrustPolicy,
  verifySignedTrustPolicy,
} from './trust/signed-policy-verifier.js';
export { addPolicySignatures, signTrustPolicy, trustPolicyPayload } from './trust/signed-policy-writer.js';
export { requireUnexpired } from './trust/signed-trust-policy.js';
export { isRevoked, validityAt } from './trust/signer-standing.js';
export { requirementsOf } from './trust/signing-requirements.js';
export type {
  RootKeys,
  TrustedIdentity,
  TrustedKey,
  TrustedSigner,
  TrustPolicy,
} from './trust/trust-policy.js';

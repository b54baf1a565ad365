export { type AttestationSigner, KeySigner } from './attestation/attestation-signer.js';
export { buildProvenance } from './attestation/build-provenance.js';
export { type BundlePredicate, normalizePredicate, PREDICATE_TYPE } from './attestation/bundle-predicate.js';
export { type KeylessSigner, verifyKeyless } from './attestation/keyless-verify.js';
export type { PolicyClaim } from './attestation/policy-claim.js';
export {
  type MapClaim,
  type ProgramClaim,
  type ProgramEffect,
  programSubjectName,
} from './attestation/program-claim.js';
export {
  PROVENANCE_TYPE,
  type Provenance,
  provenanceStatement,
  readProvenanceFile,
  readProvenanceStatement,
} from './attestation/provenance.js';
export { type ProvenanceSource, provenanceSource } from './attestation/provenance-source.js';
export {
  type Attestation,
  type CertificateMaterial,
  decodeSigstoreBundle,
  type KeyMaterial,
} from './attestation/sigstore-bundle.js';
export type { Statement, Subject } from './attestation/statement.js';
export type { StructOpsClaim, StructOpsMemberClaim } from './attestation/struct-ops-claim.js';
export { parseTrustedRoot, type TrustedRoot } from './attestation/trusted-root.js';
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
export { type BpfmanLabels, bpfmanLabels } from './bundle/bpfman-labels.js';
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
export {
  type BundleEvidence,
  checkMinimumVersion,
  checkRevokedDigests,
  judgeEvidence,
} from './trust/judge-bundle.js';
export { type AttestationEvidence, judgeSignatures } from './trust/judge-signatures.js';
export { describeMissingGrant, missingGrants, type SignedContent } from './trust/missing-grants.js';
export { findMatch, matchesName, type NamePattern, parseNamePattern } from './trust/name-pattern.js';
export {
  decodeNodeMemory,
  EMPTY_MEMORY,
  encodeNodeMemory,
  type NodeMemory,
  type RememberedBundle,
  type RememberedTrustPolicy,
} from './trust/node-memory.js';
export { parseTrustPolicy } from './trust/parse-trust-policy.js';
export type { ProvenanceEvidence } from './trust/provenance-requirement.js';
export {
  type BundleRelease,
  checkBundleVersion,
  checkTrustPolicy,
  type Forgettable,
  forget,
  rememberBundle,
  rememberTrustPolicy,
} from './trust/rollback.js';
export {
  decodeSignedPolicy,
  isSignedPolicy,
  type SignedPolicyEnvelope,
} from './trust/signed-policy-envelope.js';
export {
  type PolicyRoot,
  type SigningProgress,
  signingProgress,
  type VerifiedTrustPolicy,
  verifySignedTrustPolicy,
} from './trust/signed-policy-verifier.js';
export { addPolicySignatures, signTrustPolicy, trustPolicyPayload } from './trust/signed-policy-writer.js';
export {
  parseSignedTrustPolicy,
  requireUnexpired,
  type SignedTrustPolicy,
} from './trust/signed-trust-policy.js';
export { isRevoked, signerOf, standingOf, validityAt } from './trust/signer-standing.js';
export { requirementsOf } from './trust/signing-requirements.js';
export type {
  RootKeys,
  TrustedIdentity,
  TrustedKey,
  TrustedSigner,
  TrustPolicy,
} from './trust/trust-policy.js';
export { TRUST_POLICY_SCHEMA } from './trust/trust-policy-schema.generated.js';

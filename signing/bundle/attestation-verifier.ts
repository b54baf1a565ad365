import { VespidError } from '../../engine/errors/index.js';
import { claimedIdentity } from '../attestation/claimed-identity.js';
import { IN_TOTO_PAYLOAD_TYPE, preAuthenticationEncoding } from '../attestation/dsse.js';
import { verifyKeyless } from '../attestation/keyless-verify.js';
import {
  type Attestation,
  type CertificateMaterial,
  decodeSigstoreBundle,
  type KeyMaterial,
} from '../attestation/sigstore-bundle.js';
import { contentDigest } from '../documents/content-digest.js';
import { verifyEd25519 } from '../keys/ed25519-verify.js';
import type { SignerIdentity } from '../trust/decision.js';
import { signerOf, standingOf } from '../trust/signer-standing.js';
import type { TrustPolicy } from '../trust/trust-policy.js';
import type { AttestationEntry } from './bundle-content.js';
import type { BundleLayout } from './bundle-layout.js';

/** An attestation whose signature is good, or whose signer the trust policy does not name. */
export interface CheckedAttestation {
  /** Digest of the attestation's manifest. */
  readonly digest: string;
  readonly identity: SignerIdentity;
  /** Id of the signer in the trust policy; absent when it names none. */
  readonly signerId?: string;
  /** What an accepted signer signed, by its digest: there exactly when the signer is accepted. */
  readonly payloadDigest?: string;
}

/** Payloads of accepted signers, not parsed, by digest: what several signers signed is there once. */
export type Payloads = Map<string, Uint8Array>;

/**
 * Verifies signatures over the raw payloads, one attestation at a time. Payloads of signers that do not count are not
 * kept.
 *
 * @param payloads gains those of accepted signers
 * @param now the time at which signers must be valid
 * @throws VespidError BUNDLE_BLOB_*, BUNDLE_JSON_*, BUNDLE_DOCUMENT_INVALID, BUNDLE_KEY_ID_MISMATCH,
 *   BUNDLE_SIGNATURE_INVALID, BUNDLE_CERTIFICATE_INVALID, BUNDLE_LOG_ENTRY_INVALID, BUNDLE_TIMESTAMP_INVALID,
 *   BUNDLE_PAYLOAD_TYPE_UNSUPPORTED, TRUST_POLICY_ROOT_INVALID, KEY_WEAK
 */
export async function checkAttestations(
  entries: readonly AttestationEntry[],
  layout: BundleLayout,
  trust: TrustPolicy,
  now: Date,
  payloads: Payloads,
): Promise<readonly CheckedAttestation[]> {
  const checked: CheckedAttestation[] = [];
  for (const { manifest, blob } of entries) {
    const where = `attestation ${manifest.digest}`;
    const attestation = decodeSigstoreBundle(await layout.read(blob), where);
    const signer = await verifySigner(attestation, trust, where);
    const isAccepted =
      signer.signerId !== undefined && standingOf(trust, signer.identity, now) === 'accepted';
    const accepted = isAccepted ? { payloadDigest: keepPayload(attestation, payloads) } : {};
    checked.push({ digest: manifest.digest, ...signer, ...accepted });
  }
  return checked;
}

function keepPayload({ payload }: Attestation, payloads: Payloads): string {
  const digest = contentDigest(payload);
  payloads.set(digest, payload);
  return digest;
}

type Signer = Pick<CheckedAttestation, 'identity' | 'signerId'>;

/**
 * DSSE protocol.md, "To verify": who it says signed it only chooses whom to try, the signature decides, then the type.
 */
async function verifySigner(attestation: Attestation, trust: TrustPolicy, where: string): Promise<Signer> {
  const { material, payloadType } = attestation;
  const signer =
    material.kind === 'key'
      ? verifyWithKey(attestation, material, trust, where)
      : await verifyWithCertificate(attestation, material, trust, where);
  if (signer.signerId !== undefined) requireStatementType(payloadType, `${where} by ${signer.signerId}`);
  return signer;
}

function verifyWithKey(
  { payload, payloadType }: Attestation,
  { keyId, signature }: KeyMaterial,
  trust: TrustPolicy,
  where: string,
): Signer {
  const identity: SignerIdentity = { kind: 'key', keyId };
  const signer = signerOf(trust, identity);
  if (signer?.kind !== 'key') return { identity };
  const message = preAuthenticationEncoding(payloadType, payload);
  verifyEd25519(signature, message, signer.publicKey.bytes, `${where} by ${signer.id}`);
  return { identity, signerId: signer.id };
}

/** A certificate of somebody unknown is not verified: it may be of a Sigstore instance that is not trusted here. */
async function verifyWithCertificate(
  attestation: Attestation,
  material: CertificateMaterial,
  trust: TrustPolicy,
  where: string,
): Promise<Signer> {
  const claimed: SignerIdentity = { kind: 'keyless', ...claimedIdentity(material, where) };
  const signer = signerOf(trust, claimed);
  if (signer === undefined) return { identity: claimed };
  const { trustedRoot } = trust;
  if (trustedRoot === undefined) {
    throw new VespidError('INTERNAL', `${signer.id} is trusted without a trusted root`);
  }
  const { issuer, subject } = await verifyKeyless(attestation, trustedRoot, `${where} by ${signer.id}`);
  if (issuer !== claimed.issuer || subject !== claimed.subject) {
    throw new VespidError('INTERNAL', `${where}: two readings of one certificate differ`);
  }
  return { identity: claimed, signerId: signer.id };
}

function requireStatementType(payloadType: string, by: string): void {
  if (payloadType === IN_TOTO_PAYLOAD_TYPE) return;
  throw new VespidError(
    'BUNDLE_PAYLOAD_TYPE_UNSUPPORTED',
    `${by}: expected the payload type ${IN_TOTO_PAYLOAD_TYPE}, found ${JSON.stringify(payloadType)}`,
    { hint: 'the signature was made for another purpose; sign the bundle with `vespid sign`' },
  );
}

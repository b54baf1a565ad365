import { VespidError } from '../../engine/errors/index.js';
import { IN_TOTO_PAYLOAD_TYPE, preAuthenticationEncoding } from '../attestation/dsse.js';
import { type Attestation, decodeSigstoreBundle } from '../attestation/sigstore-bundle.js';
import { contentDigest } from '../documents/content-digest.js';
import { verifyEd25519 } from '../keys/ed25519-verify.js';
import type { SignerIdentity, Standing } from '../trust/decision.js';
import { signerOf, standingOf } from '../trust/signer-standing.js';
import type { TrustPolicy } from '../trust/trust-policy.js';
import type { AttestationEntry } from './bundle-content.js';
import type { BundleLayout } from './bundle-layout.js';

/** An attestation whose signature is good, or whose signer the trust policy does not name. */
export interface JudgedAttestation {
  /** Digest of the attestation's manifest. */
  readonly digest: string;
  readonly identity: SignerIdentity;
  /** Id of the signer in the trust policy; absent when it names none. */
  readonly signerId?: string;
  readonly standing: Standing;
  readonly payloadDigest: string;
}

/** What the attestations of a bundle come to. */
export interface JudgedAttestations {
  /** In the order of the bundle. */
  readonly attestations: readonly JudgedAttestation[];
  /** Payloads with a signature that counts, not parsed, by digest. */
  readonly payloads: ReadonlyMap<string, Uint8Array>;
}

/**
 * Verifies the signatures of a bundle over the raw payloads, one attestation at a time. Payloads of signers that do
 * not count are not kept.
 *
 * @param now the time at which signing keys must be valid
 * @throws VespidError BUNDLE_BLOB_*, BUNDLE_JSON_*, BUNDLE_DOCUMENT_INVALID, BUNDLE_KEY_ID_MISMATCH,
 *   BUNDLE_SIGNATURE_INVALID, BUNDLE_PAYLOAD_TYPE_UNSUPPORTED, KEY_WEAK
 */
export async function judgeAttestations(
  entries: readonly AttestationEntry[],
  layout: BundleLayout,
  trust: TrustPolicy,
  now: Date,
): Promise<JudgedAttestations> {
  const attestations: JudgedAttestation[] = [];
  const payloads = new Map<string, Uint8Array>();
  for (const { manifest, blob } of entries) {
    const where = `attestation ${manifest.digest}`;
    const attestation = decodeSigstoreBundle(await layout.read(blob), where);
    const payloadDigest = contentDigest(attestation.payload);
    const judged = judge(attestation, where, trust, now);
    attestations.push({ digest: manifest.digest, payloadDigest, ...judged });
    if (judged.standing === 'accepted') payloads.set(payloadDigest, attestation.payload);
  }
  return { attestations, payloads };
}

/** DSSE protocol.md, "To verify": the key id narrows the choice of keys, the signature decides, then the type. */
function judge(
  { material, payload, payloadType }: Attestation,
  where: string,
  trust: TrustPolicy,
  now: Date,
): Pick<JudgedAttestation, 'identity' | 'signerId' | 'standing'> {
  // Keyless signers are not judged yet.
  if (material.kind === 'certificate') {
    return { identity: { kind: 'keyless', issuer: '', subject: '' }, standing: 'unknown' };
  }
  const identity: SignerIdentity = { kind: 'key', keyId: material.keyId };
  const standing = standingOf(trust, identity, now);
  const signer = signerOf(trust, identity);
  if (signer?.kind !== 'key') return { identity, standing };
  const by = `${where} by ${signer.id}`;
  const message = preAuthenticationEncoding(payloadType, payload);
  verifyEd25519(material.signature, message, signer.publicKey.bytes, by);
  requireStatementType(payloadType, by);
  return { identity, signerId: signer.id, standing };
}

function requireStatementType(payloadType: string, by: string): void {
  if (payloadType === IN_TOTO_PAYLOAD_TYPE) return;
  throw new VespidError(
    'BUNDLE_PAYLOAD_TYPE_UNSUPPORTED',
    `${by}: expected the payload type ${IN_TOTO_PAYLOAD_TYPE}, found ${JSON.stringify(payloadType)}`,
    { hint: 'the signature was made for another purpose; sign the bundle with `vespid sign`' },
  );
}

import { type ErrorCode, VespidError } from '../../engine/errors/index.js';
import { IN_TOTO_PAYLOAD_TYPE, preAuthenticationEncoding } from '../attestation/dsse.js';
import { type Attestation, decodeSigstoreBundle } from '../attestation/sigstore-bundle.js';
import { readStatement, type Statement } from '../attestation/statement.js';
import { checkStatementCovers } from '../attestation/statement-check.js';
import { bytesEqual } from '../documents/bytes.js';
import { verifyEd25519 } from '../keys/ed25519-verify.js';
import type { Standing } from '../trust/decision.js';
import { signerOf, standingOf } from '../trust/signer-standing.js';
import type { TrustedKey, TrustPolicy } from '../trust/trust-policy.js';
import type { BundleContent, BundleFiles, NamedBytes } from './bundle-content.js';
import { checkBlobDigests, checkLayout } from './bundle-layout.js';
import { readBundleContent } from './bundle-reader.js';

/** Content that enough trusted signers vouch for. Only {@link verifyBundle} makes one. */
export interface VerifiedBundle {
  readonly name: string;
  /** Digest of the bundle's manifest, `sha256:<hex>`. */
  readonly digest: string;
  readonly policies: readonly NamedBytes[];
  readonly objects: readonly NamedBytes[];
  /** What the signers state about the files; compare with what they really hold before loading. */
  readonly statement: Statement;
  /** Every trusted signer whose signature verified, once each, in the order of the bundle's attestations. */
  readonly signers: readonly VerifiedSigner[];
}

export interface VerifiedSigner {
  /** Id of the key in the trust policy. */
  readonly id: string;
  readonly keyId: string;
}

/**
 * Verifies a bundle and gives back the verified bytes, in this order:
 *
 * 1. the files are an OCI layout within limits;
 * 2. every blob has its digest;
 * 3. index and manifests reach every file and name no other;
 * 4. signatures verify over the raw payloads, which stay unparsed;
 * 5. enough distinct trusted signers signed the same payload;
 * 6. that payload, parsed only now, speaks about exactly this content.
 *
 * The threshold stands before the payload's parser, so that parser never sees bytes which the trust policy does
 * not accept.
 *
 * @param now the time at which signing keys must be valid
 * @throws VespidError with exit code 3: BUNDLE_*, KEY_WEAK
 */
export function verifyBundle(files: BundleFiles, trust: TrustPolicy, now: Date): VerifiedBundle {
  const layout = checkLayout(files);
  checkBlobDigests(layout);
  const content = readBundleContent(layout);
  const verdicts = verifySignatures(content, trust, now);
  const { payload, signers } = requireThreshold(verdicts, trust);
  const statement = readStatement(payload);
  checkStatementCovers(statement, content);
  const { name, digest, policies, objects } = content;
  return { name, digest, policies, objects, statement, signers };
}

interface Verdict {
  readonly standing: Standing;
  readonly keyId: string;
  /** Absent for a key that the trust policy does not name. */
  readonly key?: TrustedKey;
  readonly payload: Uint8Array;
}

function verifySignatures(content: BundleContent, trust: TrustPolicy, now: Date): readonly Verdict[] {
  if (content.attestations.length === 0) {
    throw new VespidError(
      'BUNDLE_UNSIGNED',
      `expected at least one attestation of ${content.digest}, found none`,
      {
        hint: 'sign the bundle: vespid sign INPUT... --key KEY --out BUNDLE',
      },
    );
  }
  return content.attestations.map(({ digest, bytes }) => {
    const where = `attestation ${digest}`;
    return judge(decodeSigstoreBundle(bytes, where), where, trust, now);
  });
}

/** DSSE protocol.md, "To verify": the key id narrows the choice of keys, the signature decides, then the type. */
function judge(attestation: Attestation, where: string, trust: TrustPolicy, now: Date): Verdict {
  const { material, payload, payloadType } = attestation;
  // Keyless signers are not judged yet.
  if (material.kind === 'certificate') return { standing: 'unknown', keyId: 'of a certificate', payload };
  const { keyId, signature } = material;
  const key = signerOf(trust, { kind: 'key', keyId });
  if (key?.kind !== 'key') return { standing: 'unknown', keyId, payload };
  const message = preAuthenticationEncoding(payloadType, payload);
  verifyEd25519(signature, message, key.publicKey.bytes, `${where} by ${key.id}`);
  if (payloadType !== IN_TOTO_PAYLOAD_TYPE) {
    throw new VespidError(
      'BUNDLE_PAYLOAD_TYPE_UNSUPPORTED',
      `${where} by ${key.id}: expected the payload type ${IN_TOTO_PAYLOAD_TYPE}, found ${JSON.stringify(payloadType)}`,
      { hint: 'the signature was made for another purpose; sign the bundle with `vespid sign`' },
    );
  }
  return { standing: standingOf(trust, { kind: 'key', keyId }, now), keyId, key, payload };
}

function requireThreshold(
  verdicts: readonly Verdict[],
  trust: TrustPolicy,
): { readonly payload: Uint8Array; readonly signers: readonly VerifiedSigner[] } {
  const accepted = verdicts.filter(({ standing }) => standing === 'accepted');
  // A Map keeps one entry per key, so two signatures by one signer count once.
  const signers = new Map<string, VerifiedSigner>();
  for (const { key, keyId } of accepted) {
    if (key !== undefined && !signers.has(keyId)) signers.set(keyId, { id: key.id, keyId });
  }
  const [first] = accepted;
  if (first === undefined || !(signers.size >= trust.threshold))
    throw thresholdRefusal(verdicts, signers.size, trust);
  const { payload } = first;
  if (!accepted.every((verdict) => bytesEqual(verdict.payload, payload))) {
    throw new VespidError(
      'BUNDLE_ATTESTATIONS_DISAGREE',
      'expected all trusted signers to sign the same statement, found different statements',
      { hint: 'remove the attestations and have every signer sign the bundle again' },
    );
  }
  return { payload, signers: [...signers.values()] };
}

/** One cause gives its own code; some accepted signatures, but too few, give the threshold's. */
function thresholdRefusal(
  verdicts: readonly Verdict[],
  acceptedCount: number,
  trust: TrustPolicy,
): VespidError {
  const [code, hint] = acceptedCount > 0 ? TOO_FEW : refusalOf(verdicts);
  const found = verdicts.map(({ key, keyId, standing }) => `${key?.id ?? `key ${keyId}`} (${standing})`);
  return new VespidError(
    code,
    `expected signatures of ${trust.threshold} distinct trusted keys, found ${acceptedCount}: ${found.join(', ')}`,
    { hint, details: { signatures: verdicts.map(({ keyId, standing }) => ({ keyId, standing })) } },
  );
}

type CodeAndHint = readonly [ErrorCode, string];

const TOO_FEW: CodeAndHint = [
  'BUNDLE_THRESHOLD_NOT_MET',
  'have further signers that the trust policy names sign it',
];

function refusalOf(verdicts: readonly Verdict[]): CodeAndHint {
  const standings = new Set(verdicts.map(({ standing }) => standing));
  if (standings.has('revoked')) {
    return ['BUNDLE_SIGNER_REVOKED', 'sign again with a key that is not revoked'];
  }
  if (standings.has('expired')) return ['BUNDLE_SIGNER_EXPIRED', 'sign again with a key that is still valid'];
  if (standings.has('not-yet-valid')) {
    return [
      'BUNDLE_SIGNER_NOT_YET_VALID',
      "check this machine's clock and the key's validFrom in the trust policy",
    ];
  }
  return ['BUNDLE_SIGNER_UNKNOWN', 'add the key to the trust policy only if you know whose it is'];
}

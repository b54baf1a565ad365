import type { KeyObject } from 'node:crypto';
import type { SignedEntity, TrustMaterial } from '@sigstore/verify';
import { reasonOf, VespidError } from '../../engine/errors/index.js';
import { type CertificateIdentity, readCertificateIdentity } from './keyless-certificate.js';
import { asKeylessRefusal, keylessRefusal } from './keyless-refusal.js';
import { checkLogEntryForm, requireLoggedCertificate } from './log-entry.js';
import type { Attestation } from './sigstore-bundle.js';
import type { KeylessSigstoreBundle } from './sigstore-bundle-schema.js';
import { parseTrustedRoot, type TrustedRoot } from './trusted-root.js';

/** Who signed without a key of his own, and when. Nobody has said yet whether that identity is trusted. */
export interface KeylessSigner extends CertificateIdentity {
  /** The earliest time at which a log or a timestamp authority saw the signature. */
  readonly signedAt: Date;
}

/**
 * How many witnesses an attestation needs. One each is what Sigstore's public instance gives, and what its clients
 * ask for: one entry in Rekor, so that a signature cannot be made unseen; one signed certificate timestamp, so that a
 * certificate cannot be issued unseen; one time, from the log's promise or from a timestamp authority, at which the
 * certificate has to be valid. Every witness that is there has to be good, also beyond the first.
 */
const THRESHOLDS = { tlogThreshold: 1, ctlogThreshold: 1, timestampThreshold: 1 } as const;

/** What Sigstore's clients make. RSA and Ed25519 certificates exist; nobody has needed one for a bundle yet. */
const CURVES: readonly (string | undefined)[] = ['prime256v1', 'secp384r1'];

/**
 * Verifies an attestation by certificate: the certificate chains to the trusted root and was valid when it was used,
 * a certificate transparency log promised to publish it, Rekor holds the signature, and the signature is over this
 * payload. Neither network nor clock is used: the time is that of the witnesses.
 *
 * Whether the identity may sign is the trust policy's business.
 *
 * @param trustedRoot JSON of a trusted root; checked by {@link parseTrustedRoot} when it is first used
 * @param where names the attestation in messages
 * @throws VespidError BUNDLE_CERTIFICATE_INVALID, BUNDLE_LOG_ENTRY_INVALID, BUNDLE_TIMESTAMP_INVALID,
 *   BUNDLE_SIGNATURE_INVALID, TRUST_POLICY_ROOT_INVALID
 */
export async function verifyKeyless(
  attestation: Attestation,
  trustedRoot: TrustedRoot | Readonly<Record<string, unknown>>,
  where = 'attestation',
): Promise<KeylessSigner> {
  const { material, payloadType, payload } = attestation;
  if (material.kind !== 'certificate') {
    throw new VespidError('INTERNAL', `${where}: verifyKeyless takes attestations by certificate`);
  }
  const { bundle } = material;
  const { dsseEnvelope } = bundle;
  // The caller goes on to use the payload of the attestation, so it has to be the one that the envelope signs.
  if (
    dsseEnvelope.payloadType !== payloadType ||
    !Buffer.from(dsseEnvelope.payload, 'base64').equals(payload)
  ) {
    throw new VespidError('INTERNAL', `${where}: the payload is not that of its own bundle`);
  }
  const entries = bundle.verificationMaterial.tlogEntries ?? [];
  for (const entry of entries) checkLogEntryForm(entry, where);

  const trust = await trustMaterialOf(trustedRoot);
  const entity = await readEntity(bundle, where);
  const certificate = requireExactCertificate(bundle, entity, where);
  const { key, extensions } = await verifyEntity(entity, trust, where);
  requireSupportedKey(key, where);
  requireKnownLogs(entity, trust, where);
  for (const entry of entries) requireLoggedCertificate(entry, certificate, where);
  return { ...readCertificateIdentity(extensions, where), signedAt: earliestTime(entity) };
}

/** Reading keys and certificates costs a millisecond or two; a node verifies many bundles with one root. */
const materialByRoot = new WeakMap<object, Promise<TrustMaterial>>();

function trustMaterialOf(json: Readonly<Record<string, unknown>>): Promise<TrustMaterial> {
  const known = materialByRoot.get(json);
  if (known !== undefined) return known;
  const material = loadTrustMaterial(json);
  materialByRoot.set(json, material);
  return material;
}

async function loadTrustMaterial(json: Readonly<Record<string, unknown>>): Promise<TrustMaterial> {
  const root = parseTrustedRoot(json, 'trusted root');
  const [{ TrustedRoot: protobuf }, { toTrustMaterial }] = await Promise.all([
    import('@sigstore/protobuf-specs'),
    import('@sigstore/verify'),
  ]);
  try {
    return toTrustMaterial(protobuf.fromJSON(root));
  } catch (cause) {
    const reason = reasonOf(cause);
    throw new VespidError('TRUST_POLICY_ROOT_INVALID', `trusted root: ${reason}`, {
      hint: 'give the trusted_root.json of your Sigstore instance, unchanged',
      cause,
    });
  }
}

/** Parses the certificate, then the timestamps. */
async function readEntity(bundle: KeylessSigstoreBundle, where: string): Promise<SignedEntity> {
  const [{ bundleFromJSON }, { toSignedEntity }] = await Promise.all([
    import('@sigstore/bundle'),
    import('@sigstore/verify'),
  ]);
  const { timestampVerificationData: _, ...withoutTimestamps } = bundle.verificationMaterial;
  try {
    // The one call reads both and does not say which was at fault.
    toSignedEntity(bundleFromJSON({ ...bundle, verificationMaterial: withoutTimestamps }));
  } catch (error) {
    throw asKeylessRefusal(error, where, 'BUNDLE_CERTIFICATE_INVALID');
  }
  try {
    const entity = toSignedEntity(bundleFromJSON(bundle));
    earliestTime(entity);
    return entity;
  } catch (error) {
    throw asKeylessRefusal(error, where, 'BUNDLE_TIMESTAMP_INVALID');
  }
}

/**
 * `@sigstore/verify` checks the issuer's signature over its own encoding of what it read. The bytes must be that
 * encoding, or there would be several certificates with one signature, and bytes behind them that nobody signed.
 *
 * @returns the certificate's DER
 */
function requireExactCertificate(
  bundle: KeylessSigstoreBundle,
  { key }: SignedEntity,
  where: string,
): Uint8Array {
  const bytes = Buffer.from(bundle.verificationMaterial.certificate.rawBytes, 'base64');
  if (key.$case === 'certificate' && key.certificate.root.toDER().equals(bytes)) return bytes;
  throw keylessRefusal(
    'BUNDLE_CERTIFICATE_INVALID',
    where,
    'expected one certificate in DER, found another encoding or further bytes',
  );
}

async function verifyEntity(
  entity: SignedEntity,
  trust: TrustMaterial,
  where: string,
): Promise<{
  readonly key: KeyObject;
  readonly extensions: readonly { readonly oid: string; readonly value: Uint8Array }[];
}> {
  const { Verifier } = await import('@sigstore/verify');
  try {
    const { key, identity } = new Verifier(trust, THRESHOLDS).verify(entity);
    const extensions = (identity?.oids ?? []).map(({ oid, value }) => ({
      oid: (oid?.id ?? []).join('.'),
      value,
    }));
    return { key, extensions };
  } catch (error) {
    throw asKeylessRefusal(error, where, 'BUNDLE_CERTIFICATE_INVALID');
  }
}

function requireSupportedKey(key: KeyObject, where: string): void {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType === 'ec' && CURVES.includes(curve)) return;
  throw keylessRefusal(
    'BUNDLE_CERTIFICATE_INVALID',
    where,
    `expected a certificate for an ECDSA key on P-256 or P-384, found ${curve ?? key.asymmetricKeyType}`,
  );
}

/** Without a promise nothing else compares the log that an entry names with the logs of the trusted root. */
function requireKnownLogs({ tlogEntries }: SignedEntity, { tlogs }: TrustMaterial, where: string): void {
  for (const { logId } of tlogEntries) {
    if (tlogs.some(({ logID }) => logID.equals(logId.keyId))) continue;
    throw keylessRefusal(
      'BUNDLE_LOG_ENTRY_INVALID',
      where,
      `expected an entry of a log of the trusted root, found log ${logId.keyId.toString('hex')}`,
    );
  }
}

/** To be believed when entries and timestamps were verified; at least one of them tells a time then. */
function earliestTime({ timestamps }: SignedEntity): Date {
  const times = timestamps.flatMap((timestamp) => {
    if (timestamp.$case === 'timestamp-authority') return [timestamp.timestamp.signingTime.getTime()];
    const { inclusionPromise, integratedTime } = timestamp.tlogEntry;
    return inclusionPromise === undefined ? [] : [Number(integratedTime) * 1000];
  });
  return new Date(Math.min(...times));
}

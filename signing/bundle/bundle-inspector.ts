import { VespidError } from '../../engine/errors/index.js';
import type { BundlePredicate } from '../attestation/bundle-predicate.js';
import { claimedIdentity } from '../attestation/claimed-identity.js';
import { IN_TOTO_PAYLOAD_TYPE } from '../attestation/dsse.js';
import type { CertificateIdentity } from '../attestation/keyless-certificate.js';
import { type Attestation, decodeSigstoreBundle } from '../attestation/sigstore-bundle.js';
import { readStatement, type Statement } from '../attestation/statement.js';
import { readFiles } from './accepted-bundle.js';
import type { BundleOutline } from './bundle-content.js';
import { BundleLayout } from './bundle-layout.js';
import { readBundleContent } from './bundle-reader.js';
import type { BundleSource } from './bundle-source.js';

/** A description of a bundle that nobody vouches for. `verified` is the literal false, so that no reader forgets. */
export interface BundleDescription extends BundleOutline {
  readonly verified: false;
  readonly attestations: readonly AttestationDescription[];
}

/** What an attestation says about itself; its signature was not checked. */
export interface AttestationDescription {
  readonly digest: string;
  /** The key that it says signed it; absent when it has a certificate instead. */
  readonly claimedKeyId?: string;
  /** Whom its certificate names; absent when it has none, or one that cannot be read. */
  readonly claimedIdentity?: CertificateIdentity;
  readonly payloadType: string;
  readonly unverifiedSubjects: Statement['subject'];
  readonly unverifiedPredicate?: BundlePredicate;
  /** Why the payload could not be read; then there are no subjects and no predicate. */
  readonly payloadFault?: string;
}

/**
 * Describes a bundle without trusting it: the structure and the digests are checked, the signatures are not. For
 * people only; what is loaded comes from acceptBundle.
 *
 * @throws VespidError BUNDLE_* when the structure is not that of a bundle
 */
export async function inspectBundle(source: BundleSource): Promise<BundleDescription> {
  const layout = await BundleLayout.open(source);
  const { name, version, digest, policies, objects, attestations } = await readBundleContent(layout);
  const described: AttestationDescription[] = [];
  for (const { manifest, blob } of attestations) {
    described.push(describeAttestation(manifest.digest, await layout.read(blob)));
  }
  // Only the check of the digests matters: a file's bytes are dropped.
  for await (const _ of readFiles({ policies, objects }, layout));
  return { verified: false, name, version, digest, policies, objects, attestations: described };
}

function describeAttestation(digest: string, bytes: Uint8Array): AttestationDescription {
  const { material, payloadType, payload } = decodeSigstoreBundle(bytes, `attestation ${digest}`);
  const about = { digest, ...claimedSigner(material), payloadType };
  const nothing = { unverifiedSubjects: [] };
  if (payloadType !== IN_TOTO_PAYLOAD_TYPE)
    return { ...about, ...nothing, payloadFault: 'not an in-toto statement' };
  try {
    const { subject, predicate } = readStatement(payload);
    return { ...about, unverifiedSubjects: subject, unverifiedPredicate: predicate };
  } catch (error) {
    if (!(error instanceof VespidError)) throw error;
    return { ...about, ...nothing, payloadFault: error.message };
  }
}

function claimedSigner(
  material: Attestation['material'],
): Pick<AttestationDescription, 'claimedKeyId' | 'claimedIdentity'> {
  if (material.kind === 'key') return { claimedKeyId: material.keyId };
  try {
    return { claimedIdentity: claimedIdentity(material, 'attestation') };
  } catch (error) {
    if (!(error instanceof VespidError)) throw error;
    return {};
  }
}

import { SIGSTORE_BUNDLE_MEDIA_TYPE } from '../../../signing/attestation/sigstore-bundle.js';
import {
  checkAttestationManifest,
  type Descriptor,
  MANIFEST_MEDIA_TYPE,
} from '../../../signing/bundle/oci-layout.js';
import { readSignedDocument } from '../../../signing/documents/signed-document.js';
import { VespidError } from '../../errors/index.js';
import { hasUsableDigest, listReferrers, type Referrer } from './referrers.js';
import type { RegistryClient } from './registry-client.js';

/** An attestation manifest in a registry. */
export interface FoundAttestation {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  /** The Sigstore bundle. */
  readonly layer: Descriptor;
}

/** A referrer that is passed over, and why. */
export interface IgnoredReferrer {
  readonly digest: string;
  readonly reason: string;
}

export interface FoundAttestations {
  readonly attestations: readonly FoundAttestation[];
  readonly ignored: readonly IgnoredReferrer[];
}

/** Room for the attestations of other tools beside ours, which are looked at to tell them apart. */
const MAX_CANDIDATES = 64;

/**
 * Finds the attestations of a bundle among what refers to it. Everybody who may push may add referrers: SBOMs, scans,
 * signatures of other tools. They are passed over, as is a list entry that leads nowhere. To leave something out can
 * only make a bundle be refused for want of signatures; what is let in is verified.
 *
 * @param subject the bundle's manifest
 * @throws VespidError REGISTRY_*, BUNDLE_TOO_LARGE
 */
export async function findAttestations(
  client: RegistryClient,
  subject: Descriptor,
): Promise<FoundAttestations> {
  const { referrers } = await listReferrers(client, subject.digest, SIGSTORE_BUNDLE_MEDIA_TYPE);
  const attestations: FoundAttestation[] = [];
  const ignored: IgnoredReferrer[] = [];
  const candidates = new Map<string, Referrer>();
  for (const referrer of referrers) {
    const reason = foreignReason(referrer);
    if (reason === undefined) candidates.set(referrer.digest, referrer);
    else ignored.push({ digest: referrer.digest, reason });
  }
  requireFewCandidates(candidates.size, subject.digest);
  for (const candidate of candidates.values()) {
    const found = await fetchAttestation(client, candidate, subject);
    if ('reason' in found) ignored.push(found);
    else attestations.push(found);
  }
  return { attestations, ignored };
}

/**
 * Why an entry is not one of ours, as far as the entry tells. Tools that mirror the list may have dropped its types;
 * then the manifest itself says what it is.
 */
function foreignReason(referrer: Referrer): string | undefined {
  const { artifactType = SIGSTORE_BUNDLE_MEDIA_TYPE } = referrer;
  if (artifactType !== SIGSTORE_BUNDLE_MEDIA_TYPE) return `of type ${artifactType}`;
  if (referrer.mediaType !== MANIFEST_MEDIA_TYPE) return `a manifest of type ${referrer.mediaType}`;
  return hasUsableDigest(referrer) ? undefined : 'named by another digest than SHA-256';
}

async function fetchAttestation(
  client: RegistryClient,
  { digest, mediaType }: Referrer,
  subject: Descriptor,
): Promise<FoundAttestation | IgnoredReferrer> {
  const manifest = await client.getManifest(digest);
  if (manifest === undefined) return { digest, reason: 'not in the registry' };
  const { bytes } = manifest;
  try {
    const document = readSignedDocument(bytes, `attestation manifest ${digest}`, checkAttestationManifest);
    const [layer] = document.layers;
    if (document.subject.digest !== subject.digest || layer === undefined) {
      return { digest, reason: `about ${document.subject.digest}` };
    }
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes, layer };
  } catch (error) {
    // Sigstore's own clients attach manifests of another form, about other predicates.
    if (error instanceof VespidError) return { digest, reason: `not made by Vespid: ${error.message}` };
    throw error;
  }
}

function requireFewCandidates(count: number, digest: string): void {
  if (count <= MAX_CANDIDATES) return;
  throw new VespidError(
    'BUNDLE_TOO_LARGE',
    `expected at most ${MAX_CANDIDATES} attestations of ${digest}, found ${count}`,
    {
      hint: 'remove what does not belong there; nobody but the signers should be able to push to this repository',
    },
  );
}

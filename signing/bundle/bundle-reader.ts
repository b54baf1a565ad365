import { VespidError } from '../../engine/errors/index.js';
import { canonicalJson } from '../documents/canonical-json.js';
import { readSignedDocument, requireExactBytes } from '../documents/signed-document.js';
import type { AttestationBlob, BundleContent, BundleFiles, NamedBytes } from './bundle-content.js';
import { BlobReader, requireFile } from './bundle-layout.js';
import { BUNDLE_LIMITS, requireWithinLimit } from './bundle-limits.js';
import { requireValidNames } from './bundle-name.js';
import {
  type BundleManifest,
  buildIndex,
  checkAttestationManifest,
  checkBundleConfig,
  checkBundleManifest,
  checkImageIndex,
  type Descriptor,
  type ImageIndex,
  INDEX_PATH,
  type IndexEntry,
  OBJECT_MEDIA_TYPE,
  POLICY_MEDIA_TYPE,
  REF_NAME_ANNOTATION,
  TITLE_ANNOTATION,
} from './oci-layout.js';

/**
 * Third step: follows index → manifests → blobs, so that every file is reached and none is missing. Reads OCI
 * documents only; policies, objects and attestations stay opaque bytes.
 *
 * @param layout files that passed checkLayout and checkBlobDigests
 * @throws VespidError BUNDLE_JSON_*, BUNDLE_DOCUMENT_INVALID, BUNDLE_FILE_MISSING, BUNDLE_FILE_UNEXPECTED,
 *   BUNDLE_BLOB_SIZE_MISMATCH, BUNDLE_NAME_*, BUNDLE_ATTESTATION_*, BUNDLE_TOO_LARGE
 */
export function readBundleContent(layout: BundleFiles): BundleContent {
  const indexBytes = requireFile(layout, INDEX_PATH);
  const index = readSignedDocument(indexBytes, INDEX_PATH, checkImageIndex);
  const [bundleEntry, ...attestationEntries] = index.manifests;
  if (bundleEntry === undefined) throw new VespidError('INTERNAL', 'the index schema allowed an empty index');
  requireDistinctAttestations(attestationEntries);
  const blobs = new BlobReader(layout);
  const content = readManifest(bundleEntry, blobs);
  const attestations = attestationEntries.map((entry) => readAttestation(entry, bundleEntry, blobs));
  blobs.requireAllReached();
  requireOnlyIndex(index, indexBytes, content.name);
  return { ...content, digest: bundleEntry.digest, attestations };
}

function requireDistinctAttestations(entries: readonly IndexEntry[]): void {
  requireWithinLimit(entries.length, BUNDLE_LIMITS.maxAttestations, 'attestations');
  const repeated = entries.find(
    ({ digest }, at) => entries.findIndex((other) => other.digest === digest) !== at,
  );
  if (repeated === undefined) return;
  throw new VespidError(
    'BUNDLE_ATTESTATION_DUPLICATE',
    `${INDEX_PATH}: expected each attestation once, found ${repeated.digest} again`,
    { hint: 'one signature counts once; ask a second signer to sign' },
  );
}

/** Nothing in the index is signed, so nothing in it may be free: it must be the one that the content gives. */
function requireOnlyIndex(
  { manifests: [manifest, ...attestations] }: ImageIndex,
  bytes: Uint8Array,
  name: string,
): void {
  const refName = manifest?.annotations?.[REF_NAME_ANNOTATION];
  if (manifest === undefined || refName !== name) {
    throw new VespidError(
      'BUNDLE_NAME_MISMATCH',
      `${INDEX_PATH}: expected the bundle's own name ${JSON.stringify(name)} as its ref name, found ${JSON.stringify(refName)}`,
      { hint: 'the index was altered; fetch the bundle again from its source' },
    );
  }
  requireExactBytes(bytes, canonicalJson(buildIndex(name, manifest, attestations)), INDEX_PATH);
}

function readManifest(entry: Descriptor, blobs: BlobReader): Omit<BundleContent, 'digest' | 'attestations'> {
  const manifest = readSignedDocument(
    blobs.read(entry),
    `bundle manifest ${entry.digest}`,
    checkBundleManifest,
  );
  requireWithinLimit(manifest.layers.length, BUNDLE_LIMITS.maxLayers, 'policies and objects');
  const configBytes = blobs.read(manifest.config);
  const { name } = readSignedDocument(configBytes, `config ${manifest.config.digest}`, checkBundleConfig);
  const content = {
    name,
    policies: readLayers(manifest, POLICY_MEDIA_TYPE, blobs),
    objects: readLayers(manifest, OBJECT_MEDIA_TYPE, blobs),
  };
  requireValidNames(content, { invalid: 'BUNDLE_NAME_INVALID', duplicate: 'BUNDLE_NAME_DUPLICATE' });
  return content;
}

function readLayers(manifest: BundleManifest, mediaType: string, blobs: BlobReader): readonly NamedBytes[] {
  return manifest.layers
    .filter((layer) => layer.mediaType === mediaType)
    .map((layer) => ({ name: layer.annotations[TITLE_ANNOTATION], bytes: blobs.read(layer) }));
}

function readAttestation(entry: Descriptor, bundle: Descriptor, blobs: BlobReader): AttestationBlob {
  const where = `attestation manifest ${entry.digest}`;
  const manifest = readSignedDocument(blobs.read(entry), where, checkAttestationManifest);
  const { digest, size } = manifest.subject;
  if (digest !== bundle.digest || size !== bundle.size) {
    throw new VespidError(
      'BUNDLE_ATTESTATION_FOREIGN',
      `${where}: expected the subject ${bundle.digest} (${bundle.size} bytes), found ${digest} (${size} bytes)`,
      { hint: 'this attestation belongs to another bundle; sign this one' },
    );
  }
  blobs.read(manifest.config);
  const [layer] = manifest.layers;
  if (layer === undefined) throw new VespidError('INTERNAL', 'the manifest schema allowed no layer');
  return { digest: entry.digest, bytes: blobs.read(layer) };
}

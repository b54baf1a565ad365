import { VespidError } from '../../engine/errors/index.js';
import { canonicalJson } from '../documents/canonical-json.js';
import { readSignedDocument, requireExactBytes } from '../documents/signed-document.js';
import type { AttestationEntry, BundleContent, FileDescription } from './bundle-content.js';
import type { BundleLayout } from './bundle-layout.js';
import { BUNDLE_LIMITS, requireWithinLimit } from './bundle-limits.js';
import { requireValidNames } from './bundle-name.js';
import { requireValidVersion } from './bundle-version.js';
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
 * Second step of verification: follows index → manifests → blobs, so that every file belongs to one descriptor and
 * none is missing. Reads OCI documents only, each after its digest; policies, objects and attestations are not read.
 *
 * @throws VespidError BUNDLE_JSON_*, BUNDLE_DOCUMENT_INVALID, BUNDLE_FILE_MISSING, BUNDLE_FILE_UNEXPECTED,
 *   BUNDLE_BLOB_*, BUNDLE_NAME_*, BUNDLE_ATTESTATION_*, BUNDLE_TOO_LARGE
 */
export async function readBundleContent(layout: BundleLayout): Promise<BundleContent> {
  const indexBytes = await layout.readIndex();
  const index = readSignedDocument(indexBytes, INDEX_PATH, checkImageIndex);
  const [bundleEntry, ...attestationEntries] = index.manifests;
  if (bundleEntry === undefined) throw new VespidError('INTERNAL', 'the index schema allowed an empty index');
  requireDistinctAttestations(attestationEntries);
  const content = await readManifest(bundleEntry, layout);
  const attestations: AttestationEntry[] = [];
  for (const entry of attestationEntries) {
    attestations.push(await readAttestationManifest(entry, bundleEntry, layout));
  }
  layout.requireAllClaimed();
  requireOnlyIndex(index, indexBytes, content.name);
  const { mediaType, digest, size } = bundleEntry;
  return { ...content, digest, manifest: { mediaType, digest, size }, attestations };
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

async function readManifest(
  entry: Descriptor,
  layout: BundleLayout,
): Promise<Omit<BundleContent, 'digest' | 'manifest' | 'attestations'>> {
  const manifest = readSignedDocument(
    await layout.readDocument(entry),
    `bundle manifest ${entry.digest}`,
    checkBundleManifest,
  );
  requireWithinLimit(manifest.layers.length, BUNDLE_LIMITS.maxLayers, 'policies and objects');
  const configBytes = await layout.readDocument(manifest.config);
  const where = `config ${manifest.config.digest}`;
  const { name, version, config } = readSignedDocument(configBytes, where, checkBundleConfig);
  if (version !== undefined) requireValidVersion(version, 'BUNDLE_VERSION_INVALID');
  const content = {
    name,
    version,
    labels: config.Labels,
    policies: claimLayers(manifest, POLICY_MEDIA_TYPE, layout),
    objects: claimLayers(manifest, OBJECT_MEDIA_TYPE, layout),
  };
  requireValidNames(content, { invalid: 'BUNDLE_NAME_INVALID', duplicate: 'BUNDLE_NAME_DUPLICATE' });
  return content;
}

function claimLayers(
  manifest: BundleManifest,
  mediaType: string,
  layout: BundleLayout,
): readonly FileDescription[] {
  return manifest.layers
    .filter((layer) => layer.mediaType === mediaType)
    .map((layer) => {
      layout.claim(layer);
      return { name: layer.annotations[TITLE_ANNOTATION], digest: layer.digest, byteSize: layer.size };
    });
}

async function readAttestationManifest(
  { mediaType, digest, size }: Descriptor,
  bundle: Descriptor,
  layout: BundleLayout,
): Promise<AttestationEntry> {
  const where = `attestation manifest ${digest}`;
  const bytes = await layout.readDocument({ digest, size });
  const manifest = readSignedDocument(bytes, where, checkAttestationManifest);
  const { subject, config, annotations } = manifest;
  if (subject.digest !== bundle.digest || subject.size !== bundle.size) {
    throw new VespidError(
      'BUNDLE_ATTESTATION_FOREIGN',
      `${where}: expected the subject ${bundle.digest} (${bundle.size} bytes), found ${subject.digest} (${subject.size} bytes)`,
      { hint: 'this attestation belongs to another bundle; sign this one' },
    );
  }
  await layout.claimEmptyConfig(config);
  const [blob] = manifest.layers;
  if (blob === undefined) throw new VespidError('INTERNAL', 'the manifest schema allowed no layer');
  layout.claim(blob);
  const predicateType = annotations['dev.sigstore.bundle.predicateType'];
  return { manifest: { mediaType, digest, size }, predicateType, blob };
}

import { PREDICATE_TYPE } from '../attestation/bundle-predicate.js';
import { PROVENANCE_TYPE } from '../attestation/provenance.js';
import { SIGSTORE_BUNDLE_MEDIA_TYPE } from '../attestation/sigstore-bundle.js';
import { canonicalJson } from '../documents/canonical-json.js';
import { contentDigest } from '../documents/content-digest.js';
import { defineSchema } from '../documents/signed-document.js';
import type { BpfmanLabels } from './bpfman-labels.js';

/** Paths of an OCI image layout (OCI image spec v1.1, image-layout.md). */
export const LAYOUT_PATH = 'oci-layout';
export const INDEX_PATH = 'index.json';
const BLOB_PATH = /^blobs\/sha256\/[0-9a-f]{64}$/;

export const INDEX_MEDIA_TYPE = 'application/vnd.oci.image.index.v1+json';
export const MANIFEST_MEDIA_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const BUNDLE_ARTIFACT_TYPE = 'application/vnd.vespid.bundle.v1';
export const CONFIG_MEDIA_TYPE = 'application/vnd.vespid.bundle.config.v1+json';
export const POLICY_MEDIA_TYPE = 'application/vnd.vespid.policy.v1+yaml';
export const OBJECT_MEDIA_TYPE = 'application/vnd.vespid.object.v1+elf';
/** annotations.md, "Pre-Defined Annotation Keys" */
export const TITLE_ANNOTATION = 'org.opencontainers.image.title';
export const REF_NAME_ANNOTATION = 'org.opencontainers.image.ref.name';

/** The whole content of `oci-layout`; its only version (image-layout.md, "oci-layout file"). */
export const LAYOUT_BYTES = canonicalJson({ imageLayoutVersion: '1.0.0' });
/** manifest.md, "Guidance for an Empty Descriptor" */
export const EMPTY_JSON_BYTES = canonicalJson({});
export const EMPTY_DESCRIPTOR = describe('application/vnd.oci.empty.v1+json', EMPTY_JSON_BYTES);

/** What of a descriptor finds content and holds it to what was meant: its digest, `sha256:<hex>`, and size in bytes. */
export interface BlobReference {
  readonly digest: string;
  readonly size: number;
}

/** descriptor.md: a reference to content of a media type. */
export interface Descriptor extends BlobReference {
  readonly mediaType: string;
}

export interface LayerDescriptor extends Descriptor {
  readonly annotations: { readonly [TITLE_ANNOTATION]: string };
}

/** One entry of the index. Only the bundle's own manifest has a ref name. */
export interface IndexEntry extends Descriptor {
  readonly artifactType: typeof BUNDLE_ARTIFACT_TYPE | typeof SIGSTORE_BUNDLE_MEDIA_TYPE;
  readonly annotations?: { readonly [REF_NAME_ANNOTATION]: string };
}

export interface ImageIndex {
  readonly schemaVersion: 2;
  readonly mediaType: typeof INDEX_MEDIA_TYPE;
  readonly manifests: readonly IndexEntry[];
}

export interface BundleManifest {
  readonly schemaVersion: 2;
  readonly mediaType: typeof MANIFEST_MEDIA_TYPE;
  readonly artifactType: typeof BUNDLE_ARTIFACT_TYPE;
  readonly config: Descriptor;
  readonly layers: readonly LayerDescriptor[];
}

/**
 * What an attestation is about: the content of the bundle, or how it was built. It stands in the attestation's
 * manifest, which nobody signs, so it has to be the predicateType of what is signed, too.
 */
export type AttestedPredicate = typeof PREDICATE_TYPE | typeof PROVENANCE_TYPE;

/** Tells other tools what the attestation is, as Sigstore's clients do. */
export interface AttestationAnnotations {
  readonly 'dev.sigstore.bundle.content': 'dsse-envelope';
  readonly 'dev.sigstore.bundle.predicateType': AttestedPredicate;
}

/** An OCI 1.1 referrer: `subject` names the manifest that it is about. */
export interface AttestationManifest {
  readonly schemaVersion: 2;
  readonly mediaType: typeof MANIFEST_MEDIA_TYPE;
  readonly artifactType: typeof SIGSTORE_BUNDLE_MEDIA_TYPE;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject: Descriptor;
  readonly annotations: AttestationAnnotations;
}

export interface BundleConfig {
  readonly apiVersion: 'vespid.dev/v1';
  readonly kind: 'Bundle';
  readonly name: string;
  /** Semantic Versioning 2.0.0 */
  readonly version?: string;
  /** As in an image's configuration (config.md), where bpfman looks for them. */
  readonly config: { readonly Labels: BpfmanLabels };
}

/** True for a path that a bundle may have a file at. */
export function isBundlePath(path: string): boolean {
  return path === LAYOUT_PATH || path === INDEX_PATH || BLOB_PATH.test(path);
}

/** @param digest `sha256:<hex>`, already checked for its form */
export function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

export function describe(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: contentDigest(bytes), size: bytes.length };
}

/** The index of a bundle, attestations in order of their digests: the only `index.json` it can have. */
export function buildIndex(
  name: string,
  manifest: Descriptor,
  attestations: readonly Descriptor[],
): ImageIndex {
  const ordered = [...attestations].sort((left, right) => (left.digest < right.digest ? -1 : 1));
  return {
    schemaVersion: 2,
    mediaType: INDEX_MEDIA_TYPE,
    manifests: [
      { ...manifest, artifactType: BUNDLE_ARTIFACT_TYPE, annotations: { [REF_NAME_ANNOTATION]: name } },
      ...ordered.map(
        (attestation) => ({ ...attestation, artifactType: SIGSTORE_BUNDLE_MEDIA_TYPE }) as const,
      ),
    ],
  };
}

/** A schema that allows exactly these members, all required. */
function closed(properties: Record<string, object>): object {
  return {
    type: 'object',
    additionalProperties: false,
    required: Object.keys(properties),
    properties,
  };
}

const descriptorMembers = {
  digest: { type: 'string', pattern: '^sha256:[0-9a-f]{64}$' },
  size: { type: 'integer', minimum: 0 },
};
const title = closed({ [TITLE_ANNOTATION]: { type: 'string' } });
const refName = closed({ [REF_NAME_ANNOTATION]: { type: 'string' } });

export const checkImageIndex = defineSchema<ImageIndex>(
  closed({
    schemaVersion: { const: 2 },
    mediaType: { const: INDEX_MEDIA_TYPE },
    manifests: {
      type: 'array',
      minItems: 1,
      prefixItems: [
        closed({
          ...descriptorMembers,
          mediaType: { const: MANIFEST_MEDIA_TYPE },
          artifactType: { const: BUNDLE_ARTIFACT_TYPE },
          annotations: refName,
        }),
      ],
      items: closed({
        ...descriptorMembers,
        mediaType: { const: MANIFEST_MEDIA_TYPE },
        artifactType: { const: SIGSTORE_BUNDLE_MEDIA_TYPE },
      }),
    },
  }),
);

export const checkBundleManifest = defineSchema<BundleManifest>(
  closed({
    schemaVersion: { const: 2 },
    mediaType: { const: MANIFEST_MEDIA_TYPE },
    artifactType: { const: BUNDLE_ARTIFACT_TYPE },
    config: closed({ ...descriptorMembers, mediaType: { const: CONFIG_MEDIA_TYPE } }),
    layers: {
      type: 'array',
      minItems: 1,
      items: closed({
        ...descriptorMembers,
        mediaType: { enum: [POLICY_MEDIA_TYPE, OBJECT_MEDIA_TYPE] },
        annotations: title,
      }),
    },
  }),
);

export const checkAttestationManifest = defineSchema<AttestationManifest>(
  closed({
    schemaVersion: { const: 2 },
    mediaType: { const: MANIFEST_MEDIA_TYPE },
    artifactType: { const: SIGSTORE_BUNDLE_MEDIA_TYPE },
    config: closed({
      mediaType: { const: EMPTY_DESCRIPTOR.mediaType },
      digest: { const: EMPTY_DESCRIPTOR.digest },
      size: { const: EMPTY_DESCRIPTOR.size },
    }),
    layers: {
      type: 'array',
      minItems: 1,
      maxItems: 1,
      items: closed({ ...descriptorMembers, mediaType: { const: SIGSTORE_BUNDLE_MEDIA_TYPE } }),
    },
    subject: closed({ ...descriptorMembers, mediaType: { const: MANIFEST_MEDIA_TYPE } }),
    annotations: closed({
      'dev.sigstore.bundle.content': { const: 'dsse-envelope' },
      'dev.sigstore.bundle.predicateType': { enum: [PREDICATE_TYPE, PROVENANCE_TYPE] },
    }),
  }),
);

const labels = closed({ 'io.ebpf.programs': { type: 'string' }, 'io.ebpf.maps': { type: 'string' } });

export const checkBundleConfig = defineSchema<BundleConfig>({
  type: 'object',
  additionalProperties: false,
  required: ['apiVersion', 'kind', 'name', 'config'],
  properties: {
    apiVersion: { const: 'vespid.dev/v1' },
    kind: { const: 'Bundle' },
    name: { type: 'string' },
    version: { type: 'string' },
    config: closed({ Labels: labels }),
  },
});

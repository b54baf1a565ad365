import { compareText } from '../attestation/claim-order.js';
import { SIGSTORE_BUNDLE_MEDIA_TYPE } from '../attestation/sigstore-bundle.js';
import { canonicalJson } from '../documents/canonical-json.js';
import type { BundleFiles } from './bundle-content.js';
import {
  type AttestationManifest,
  type AttestedPredicate,
  blobPath,
  buildIndex,
  type Descriptor,
  describe,
  EMPTY_DESCRIPTOR,
  EMPTY_JSON_BYTES,
  INDEX_PATH,
  LAYOUT_BYTES,
  LAYOUT_PATH,
  MANIFEST_MEDIA_TYPE,
} from './oci-layout.js';

/** The files of a bundle that is being made: blobs under their digests. */
export class LayoutBuilder {
  readonly #files: Map<string, Uint8Array>;

  /** @param files of a bundle that is to be made anew; the index and the layout file are written by {@link finish} */
  constructor(files: BundleFiles = new Map()) {
    this.#files = new Map(files);
  }

  add(mediaType: string, bytes: Uint8Array): Descriptor {
    const descriptor = describe(mediaType, bytes);
    this.#files.set(blobPath(descriptor.digest), bytes);
    return descriptor;
  }

  has({ digest }: Descriptor): boolean {
    return this.#files.has(blobPath(digest));
  }

  /**
   * Attaches a Sigstore bundle to the bundle's manifest, as a referrer (OCI image spec v1.1, manifest.md, `subject`).
   *
   * @param predicateType of the payload that is in it
   * @returns the descriptor of the attestation's manifest
   */
  attach(sigstoreBundle: Uint8Array, subject: Descriptor, predicateType: AttestedPredicate): Descriptor {
    this.add(EMPTY_DESCRIPTOR.mediaType, EMPTY_JSON_BYTES);
    const manifest: AttestationManifest = {
      schemaVersion: 2,
      mediaType: MANIFEST_MEDIA_TYPE,
      artifactType: SIGSTORE_BUNDLE_MEDIA_TYPE,
      config: EMPTY_DESCRIPTOR,
      layers: [this.add(SIGSTORE_BUNDLE_MEDIA_TYPE, sigstoreBundle)],
      subject,
      annotations: {
        'dev.sigstore.bundle.content': 'dsse-envelope',
        'dev.sigstore.bundle.predicateType': predicateType,
      },
    };
    return this.add(MANIFEST_MEDIA_TYPE, canonicalJson(manifest));
  }

  /** All files, in the order of their paths. */
  finish(name: string, manifest: Descriptor, attestations: readonly Descriptor[]): BundleFiles {
    this.#files.set(LAYOUT_PATH, LAYOUT_BYTES);
    this.#files.set(INDEX_PATH, canonicalJson(buildIndex(name, manifest, attestations)));
    return new Map([...this.#files].sort(([left], [right]) => compareText(left, right)));
  }
}

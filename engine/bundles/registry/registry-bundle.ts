import {
  type BundleManifest,
  blobPath,
  buildIndex,
  checkBundleConfig,
  checkBundleManifest,
  type Descriptor,
  EMPTY_DESCRIPTOR,
  EMPTY_JSON_BYTES,
  INDEX_PATH,
  LAYOUT_BYTES,
  LAYOUT_PATH,
  MANIFEST_MEDIA_TYPE,
} from '../../../signing/bundle/oci-layout.js';
import { canonicalJson } from '../../../signing/documents/canonical-json.js';
import { readSignedDocument } from '../../../signing/documents/signed-document.js';
import type { BundleSource } from '../../../signing/index.js';
import { VespidError } from '../../errors/index.js';
import { type FoundAttestations, findAttestations, type IgnoredReferrer } from './attestation-referrers.js';
import { formatReference, type Reference } from './reference.js';
import type { FetchedManifest, RegistryClient } from './registry-client.js';

/** A name, a version, and the labels of up to some thousand programs. Its size is the registry's claim until then. */
const MAX_CONFIG_BYTES = 1024 * 1024;

/**
 * A bundle in a registry, as the OCI layout that it was pushed from. Opening it reads documents only: the manifest,
 * its config and the manifests of the attestations, of each no more bytes than it may have. Every other blob is
 * fetched when verification asks for it, and has its digest or is refused.
 *
 * The tag is resolved once. From then on everything is asked for by digest, so a tag that moves meanwhile moves
 * nothing here.
 */
export class RegistryBundle implements BundleSource {
  readonly label: string;
  /** Digest of the manifest, `sha256:<hex>`. */
  readonly digest: string;
  /** Referrers of other tools, and what calls itself an attestation and is none. */
  readonly ignored: readonly IgnoredReferrer[];
  readonly #client: RegistryClient;
  /** What is known already, by path. */
  readonly #documents: ReadonlyMap<string, Uint8Array>;
  /** What is not, with its size in bytes. */
  readonly #sizes: ReadonlyMap<string, number>;

  private constructor(
    client: RegistryClient,
    label: string,
    { digest }: Descriptor,
    { ignored }: FoundAttestations,
    documents: ReadonlyMap<string, Uint8Array>,
    sizes: ReadonlyMap<string, number>,
  ) {
    this.#client = client;
    this.label = label;
    this.digest = digest;
    this.ignored = ignored;
    this.#documents = documents;
    this.#sizes = sizes;
  }

  /**
   * @param reference with a tag or a digest; with both, the digest decides
   * @throws VespidError REGISTRY_*, BUNDLE_NOT_A_BUNDLE, BUNDLE_TOO_LARGE, BUNDLE_JSON_*, BUNDLE_DOCUMENT_INVALID
   */
  static async open(client: RegistryClient, reference: Reference): Promise<RegistryBundle> {
    const label = formatReference(reference);
    const fetched = await client.getManifest(nameOf(reference));
    if (fetched === undefined) throw notFound(label);
    const manifest = readManifest(fetched, label);
    const { digest, bytes } = fetched;
    const subject = { mediaType: MANIFEST_MEDIA_TYPE, digest, size: bytes.length };
    const config = await readConfig(client, manifest);
    const found = await findAttestations(client, subject);
    const entries = found.attestations.map(({ descriptor }) => descriptor);
    const documents = new Map([
      [LAYOUT_PATH, LAYOUT_BYTES],
      [INDEX_PATH, canonicalJson(buildIndex(config.name, subject, entries))],
      [blobPath(digest), bytes],
      [blobPath(manifest.config.digest), config.bytes],
      ...found.attestations.map((one) => [blobPath(one.descriptor.digest), one.bytes] as const),
      // Its bytes are what its digest says, so there is nothing to fetch.
      ...(entries.length === 0 ? [] : ([[blobPath(EMPTY_DESCRIPTOR.digest), EMPTY_JSON_BYTES]] as const)),
    ]);
    const layers = [...manifest.layers, ...found.attestations.map(({ layer }) => layer)];
    const sizes = new Map(layers.map((layer) => [blobPath(layer.digest), layer.size]));
    return new RegistryBundle(client, label, subject, found, documents, sizes);
  }

  async list(): Promise<ReadonlyMap<string, number>> {
    const known = [...this.#documents].map(([path, bytes]) => [path, bytes.length] as const);
    return new Map([...this.#sizes, ...known]);
  }

  async read(path: string): Promise<Uint8Array> {
    const known = this.#documents.get(path);
    if (known !== undefined) return Uint8Array.from(known);
    const size = this.#sizes.get(path);
    if (size === undefined) throw new VespidError('INTERNAL', `${path} was read, which was not listed`);
    return this.#client.getBlob(path.replace('blobs/sha256/', 'sha256:'), size);
  }
}

function nameOf({ tag, digest }: Reference): string {
  const name = digest ?? tag;
  if (name !== undefined) return name;
  throw new VespidError(
    'REGISTRY_REFERENCE_INVALID',
    'expected a reference with a tag or a digest, found neither',
    {
      hint: 'write HOST/REPOSITORY:TAG, or pin it: HOST/REPOSITORY@sha256:<digest>',
    },
  );
}

function readManifest({ bytes, mediaType, digest }: FetchedManifest, label: string): BundleManifest {
  if (mediaType !== MANIFEST_MEDIA_TYPE) {
    throw new VespidError(
      'BUNDLE_NOT_A_BUNDLE',
      `${label}: expected a bundle (${MANIFEST_MEDIA_TYPE}), found ${mediaType || 'something without a type'}`,
      { hint: 'give the reference that `vespid push` printed' },
    );
  }
  return readSignedDocument(bytes, `bundle manifest ${digest}`, checkBundleManifest);
}

async function readConfig(
  client: RegistryClient,
  { config: { digest, size } }: BundleManifest,
): Promise<{ readonly name: string; readonly bytes: Uint8Array }> {
  if (size > MAX_CONFIG_BYTES) {
    throw new VespidError(
      'BUNDLE_TOO_LARGE',
      `expected at most ${MAX_CONFIG_BYTES} bytes of config, found ${size}`,
      { hint: 'this is no bundle that `vespid sign` made' },
    );
  }
  const bytes = await client.getBlob(digest, size);
  const { name } = readSignedDocument(bytes, `config ${digest}`, checkBundleConfig);
  return { name, bytes };
}

function notFound(label: string): VespidError {
  return new VespidError('REGISTRY_NOT_FOUND', `${label}: the registry has no such bundle`, {
    hint: 'check registry, repository and tag; some registries also say this to those who may not read',
  });
}

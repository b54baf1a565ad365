import { SIGSTORE_BUNDLE_MEDIA_TYPE } from '../../../signing/attestation/sigstore-bundle.js';
import {
  blobPath,
  checkImageIndex,
  type Descriptor,
  INDEX_PATH,
  type IndexEntry,
  LAYOUT_PATH,
} from '../../../signing/bundle/oci-layout.js';
import type { JsonObject } from '../../../signing/documents/canonical-json.js';
import { readSignedDocument } from '../../../signing/documents/signed-document.js';
import { parseStrictJson } from '../../../signing/documents/strict-json.js';
import type { BundleFiles } from '../../../signing/index.js';
import { VespidError } from '../../errors/index.js';
import { inParallel } from './in-parallel.js';
import { listReferrers, type Referrer } from './referrers.js';
import { addToReferrersTag } from './referrers-tag.js';
import type { RegistryClient } from './registry-client.js';

export interface PushOptions {
  /** The tag that shall point to the bundle; undefined: only its digest names it. */
  readonly tag: string | undefined;
  /** Let the tag point to this bundle even if it points to another now. */
  readonly replaceTag: boolean;
  readonly onProgress?: (progress: PushProgress) => void;
}

export interface PushProgress {
  /** Blobs and manifests that the registry has, of `total`. */
  readonly done: number;
  readonly total: number;
  readonly uploadedBytes: number;
}

export interface PushResult {
  /** Digest of the bundle's manifest: what to pin. */
  readonly digest: string;
  readonly uploadedBlobs: number;
  readonly uploadedBytes: number;
  /** Attestations that the registry did not have yet. */
  readonly addedAttestations: number;
  /** False when it pointed to this bundle already, or when no tag was asked for. */
  readonly movedTag: boolean;
}

/** Enough to hide the way to a registry, and few enough for the limits of public ones. */
const CONCURRENT_UPLOADS = 4;

/**
 * Brings a bundle to a registry and sends only what is missing there. The order leaves no moment in which somebody
 * who pulls could see a part: blobs, the bundle's manifest by digest, its attestations with the list that names
 * them, and the tag as the last.
 *
 * @param files of a bundle whose structure was checked (inspectBundle)
 * @throws VespidError REGISTRY_TAG_TAKEN, and those of requests
 */
export async function pushBundle(
  client: RegistryClient,
  files: BundleFiles,
  { tag, replaceTag, onProgress }: PushOptions,
): Promise<PushResult> {
  const { manifest, attestations, blobs } = contentsOf(files);
  const tagged = tag === undefined ? undefined : await client.headManifest(tag);
  if (tag !== undefined && !replaceTag) requireFree(tag, tagged, manifest.digest);
  const progress = new ProgressCounter(blobs.length + 1 + attestations.length, onProgress);
  const uploaded = await uploadBlobs(client, blobs, progress);
  await storeManifest(client, manifest, files);
  progress.advance(0);
  const addedAttestations = await pushAttestations(client, manifest, attestations, files, progress);
  const movedTag = tag !== undefined && tagged !== manifest.digest;
  if (movedTag)
    await moveTag(client, tag, bytesOf(files, manifest), manifest, replaceTag || tagged !== undefined);
  return { digest: manifest.digest, ...uploaded, addedAttestations, movedTag };
}

interface Blob {
  readonly digest: string;
  readonly bytes: Uint8Array;
}

interface BundleContents {
  readonly manifest: IndexEntry;
  readonly attestations: readonly IndexEntry[];
  /** Every file that is no manifest. */
  readonly blobs: readonly Blob[];
}

function contentsOf(files: BundleFiles): BundleContents {
  const index = readSignedDocument(files.get(INDEX_PATH) ?? new Uint8Array(), INDEX_PATH, checkImageIndex);
  const [manifest, ...attestations] = index.manifests;
  if (manifest === undefined) throw new VespidError('INTERNAL', 'the index schema allowed an empty index');
  const others = new Set([INDEX_PATH, LAYOUT_PATH, ...index.manifests.map(({ digest }) => blobPath(digest))]);
  const blobs = [...files]
    .filter(([path]) => !others.has(path))
    .map(([path, bytes]) => ({ digest: path.replace('blobs/sha256/', 'sha256:'), bytes }));
  return { manifest, attestations, blobs };
}

async function uploadBlobs(
  client: RegistryClient,
  blobs: readonly Blob[],
  progress: ProgressCounter,
): Promise<Pick<PushResult, 'uploadedBlobs' | 'uploadedBytes'>> {
  let uploadedBlobs = 0;
  let uploadedBytes = 0;
  await inParallel(blobs, CONCURRENT_UPLOADS, async ({ digest, bytes }) => {
    const missing = !(await client.hasBlob(digest));
    if (missing) {
      await client.putBlob(digest, bytes);
      uploadedBlobs++;
      uploadedBytes += bytes.length;
    }
    progress.advance(missing ? bytes.length : 0);
  });
  return { uploadedBlobs, uploadedBytes };
}

/** @returns whether the registry itself lists it as a referrer of its subject; undefined when it was there */
async function storeManifest(
  client: RegistryClient,
  { digest, mediaType }: Descriptor,
  files: BundleFiles,
): Promise<boolean | undefined> {
  if ((await client.headManifest(digest)) === digest) return undefined;
  const result = await client.putManifest(digest, mediaType, bytesOf(files, { digest }));
  return result === 'stored-with-subject';
}

/** @returns how many the registry did not list before */
async function pushAttestations(
  client: RegistryClient,
  manifest: IndexEntry,
  attestations: readonly IndexEntry[],
  files: BundleFiles,
  progress: ProgressCounter,
): Promise<number> {
  const { kind, referrers } = await listReferrers(client, manifest.digest, SIGSTORE_BUNDLE_MEDIA_TYPE);
  const unlisted = attestations.filter(({ digest }) => !referrers.some((known) => known.digest === digest));
  const toList: Referrer[] = [];
  for (const attestation of attestations) {
    const listedByRegistry = await storeManifest(client, attestation, files);
    const listed = listedByRegistry ?? kind === 'api';
    if (!listed && unlisted.includes(attestation)) toList.push(describeReferrer(attestation, files));
    progress.advance(0);
  }
  if (toList.length > 0) await addToReferrersTag(client, manifest.digest, toList);
  return unlisted.length;
}

/** "All annotations from the pushed manifest MUST be copied to this descriptor" (Pushing Manifests with Subject). */
function describeReferrer(entry: IndexEntry, files: BundleFiles): Referrer {
  const { mediaType, digest, size, artifactType } = entry;
  const manifest = parseStrictJson(bytesOf(files, entry), `attestation manifest ${digest}`);
  // A manifest of a checked bundle is an object with annotations.
  const { annotations = {} } = manifest as JsonObject;
  return {
    mediaType,
    digest,
    size,
    artifactType,
    entry: { mediaType, digest, size, artifactType, annotations },
  };
}

function bytesOf(files: BundleFiles, { digest }: Pick<Descriptor, 'digest'>): Uint8Array {
  const bytes = files.get(blobPath(digest));
  if (bytes === undefined) throw new VespidError('INTERNAL', `a checked bundle lacks its manifest ${digest}`);
  return bytes;
}

/** @param anyway also if the tag has come to point to something meanwhile */
async function moveTag(
  client: RegistryClient,
  tag: string,
  bytes: Uint8Array,
  { digest, mediaType }: Descriptor,
  anyway: boolean,
): Promise<void> {
  const result = await client.putManifest(tag, mediaType, bytes, anyway ? {} : { 'if-none-match': '*' });
  // Somebody else may have pushed this very bundle, with an attestation of their own.
  if (result === 'condition-failed') requireFree(tag, await client.headManifest(tag), digest);
}

function requireFree(tag: string, found: string | undefined, digest: string): void {
  if (found !== undefined && found !== digest) throw taken(tag, found);
}

/** Who deployed a tag expects it to stay what it was, a version above all. */
function taken(tag: string, found: string): VespidError {
  return new VespidError('REGISTRY_TAG_TAKEN', `the tag ${tag} points to ${found} already`, {
    hint: 'push under a new version, or add --replace-tag if this tag is one that moves',
  });
}

class ProgressCounter {
  readonly #total: number;
  readonly #onProgress: ((progress: PushProgress) => void) | undefined;
  #done = 0;
  #uploadedBytes = 0;

  constructor(total: number, onProgress: ((progress: PushProgress) => void) | undefined) {
    this.#total = total;
    this.#onProgress = onProgress;
  }

  advance(uploadedBytes: number): void {
    this.#done++;
    this.#uploadedBytes += uploadedBytes;
    this.#onProgress?.({ done: this.#done, total: this.#total, uploadedBytes: this.#uploadedBytes });
  }
}

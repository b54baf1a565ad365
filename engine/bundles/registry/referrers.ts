import { INDEX_MEDIA_TYPE } from '../../../signing/bundle/oci-layout.js';
import { canonicalJson, type JsonObject, type JsonValue } from '../../../signing/documents/canonical-json.js';
import { parseStrictJson } from '../../../signing/documents/strict-json.js';
import { VespidError } from '../../errors/index.js';
import type { HttpAnswer } from './http-exchange.js';
import { type FetchedManifest, MAX_MANIFEST_BYTES, type RegistryClient } from './registry-client.js';
import { resolveLocation } from './registry-location.js';

/** One entry of a referrers list: a manifest whose `subject` is the bundle's, as the registry states it. */
export interface Referrer {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes of the manifest. */
  readonly size: number;
  readonly artifactType: string | undefined;
  /** The entry with every member that it has, to be put back as it was. */
  readonly entry: JsonObject;
}

/** A bundle has at most 16 attestations; the rest is room for what other tools attach (SBOMs, scans, signatures). */
const MAX_REFERRERS = 512;
const MAX_PAGES = 16;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Where a referrers list was found, which decides how one is added. */
export interface ReferrersList {
  readonly kind: 'api' | 'tag';
  readonly referrers: readonly Referrer[];
  /** Of the list itself; only for `tag`, and only if there is one yet. */
  readonly etag?: string | undefined;
  readonly exists?: boolean;
}

/**
 * Lists what refers to a manifest: through the API, or where a registry does not have it (docker-registry 2.8)
 * through the index that clients keep at a tag (OCI distribution spec v1.1, "Unavailable Referrers API").
 *
 * @param artifactType asked for from the API; a registry may give others too, and the tag always does
 * @throws VespidError REGISTRY_*, BUNDLE_JSON_*
 */
export async function listReferrers(
  client: RegistryClient,
  digest: string,
  artifactType: string,
): Promise<ReferrersList> {
  const viaApi = await listThroughApi(client, digest, artifactType);
  if (viaApi !== undefined) return { kind: 'api', referrers: viaApi };
  return listThroughTag(client, digest);
}

/** @returns undefined when the registry does not have the API */
async function listThroughApi(
  client: RegistryClient,
  digest: string,
  artifactType: string,
): Promise<readonly Referrer[] | undefined> {
  const referrers: Referrer[] = [];
  let page: URL | undefined;
  for (let pages = 1; pages <= MAX_PAGES; pages++) {
    const answer = await client.getReferrersPage(digest, artifactType, page, MAX_MANIFEST_BYTES);
    if (answer === undefined) {
      if (page === undefined) return undefined;
      throw invalidList(digest, 'a page of it is missing');
    }
    referrers.push(...readReferrers(answer.body, digest));
    requireFewReferrers(referrers, digest);
    page = nextPage(answer);
    if (page === undefined) return referrers;
  }
  throw invalidList(digest, `expected at most ${MAX_PAGES} pages, found more`);
}

/** The list kept by clients; an empty one when there is none. */
export async function listThroughTag(client: RegistryClient, digest: string): Promise<ReferrersList> {
  const index = await client.getManifest(referrersTag(digest));
  if (index === undefined) return { kind: 'tag', referrers: [], exists: false };
  const referrers = readReferrers(requireIndex(index, digest).bytes, digest);
  requireFewReferrers(referrers, digest);
  return { kind: 'tag', referrers, etag: index.etag, exists: true };
}

/** "Referrers Tag Schema": the digest with "-" for ":", both parts shorter than their limits. */
export function referrersTag(digest: string): string {
  return digest.replace(':', '-');
}

/** The index that stands at the tag. */
export function referrersIndex(referrers: readonly Referrer[]): Uint8Array {
  return canonicalJson({
    schemaVersion: 2,
    mediaType: INDEX_MEDIA_TYPE,
    manifests: referrers.map(({ entry }) => entry),
  });
}

/** "If that pull returns a manifest other than the expected image index, the client SHOULD report a failure." */
function requireIndex(manifest: FetchedManifest, digest: string): FetchedManifest {
  if (manifest.mediaType === INDEX_MEDIA_TYPE) return manifest;
  throw invalidList(
    digest,
    `expected an image index at the tag ${referrersTag(digest)}, found ${manifest.mediaType}`,
  );
}

function readReferrers(bytes: Uint8Array, digest: string): readonly Referrer[] {
  const document = parseStrictJson(bytes, `referrers of ${digest}`);
  const manifests = isObject(document) ? document['manifests'] : undefined;
  if (!Array.isArray(manifests)) throw invalidList(digest, 'expected an image index');
  return manifests.map((entry: JsonValue) => readReferrer(entry, digest));
}

function readReferrer(entry: JsonValue, subject: string): Referrer {
  if (!isObject(entry)) throw invalidList(subject, 'expected descriptors');
  const { mediaType, digest, size, artifactType } = entry;
  const wellFormed =
    typeof mediaType === 'string' &&
    typeof digest === 'string' &&
    typeof size === 'number' &&
    size >= 0 &&
    (artifactType === undefined || typeof artifactType === 'string');
  if (!wellFormed) throw invalidList(subject, 'expected descriptors with mediaType, digest and size');
  return { mediaType, digest, size, artifactType, entry };
}

/** True for one that can be fetched and checked here: by SHA-256. */
export function hasUsableDigest({ digest }: Referrer): boolean {
  return DIGEST.test(digest);
}

function requireFewReferrers(referrers: readonly Referrer[], digest: string): void {
  if (referrers.length <= MAX_REFERRERS) return;
  throw invalidList(digest, `expected at most ${MAX_REFERRERS} entries, found more`);
}

/** RFC 8288: `<url>; rel="next"`. The next page is on the same registry, or there is none. */
function nextPage({ headers, url }: HttpAnswer): URL | undefined {
  const next = /<([^<>]{1,2048})>\s*;\s*rel="?next"?/.exec(headers.get('link') ?? '')?.[1];
  if (next === undefined) return undefined;
  const page = resolveLocation(next, url);
  if (page.origin === url.origin) return page;
  throw new VespidError(
    'REGISTRY_ANSWER_INVALID',
    `${url.host} continues its list of referrers on ${page.host}`,
    {
      hint: 'check that the address is that of an OCI registry',
    },
  );
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalidList(digest: string, reason: string): VespidError {
  return new VespidError(
    'REGISTRY_ANSWER_INVALID',
    `the list of referrers of ${digest} cannot be used: ${reason}`,
    {
      hint: 'look at it with `oras discover` or `skopeo inspect --raw`, and remove what does not belong there',
    },
  );
}

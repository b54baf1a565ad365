import { createHash } from 'node:crypto';
import { INDEX_MEDIA_TYPE, MANIFEST_MEDIA_TYPE } from '../../../signing/bundle/oci-layout.js';
import { VespidError } from '../../errors/index.js';
import { type Action, Authorizer } from './authorizer.js';
import type { FindCredentials } from './credentials.js';
import { EXCHANGE_TIMING, type ExchangeTiming, fetchExchange, type HttpAnswer } from './http-exchange.js';
import type { Reference } from './reference.js';
import { registryBase, resolveLocation } from './registry-location.js';
import { RegistrySession } from './registry-session.js';
import { RETRY_POLICY, type RetryPolicy, withRetries } from './retry.js';
import { tokenServer } from './token-server.js';

/** A manifest as the registry sent it; `digest` is computed from the bytes. */
export interface FetchedManifest {
  readonly bytes: Uint8Array;
  /** `sha256:<hex>` */
  readonly digest: string;
  /** What the registry calls it; proves nothing. */
  readonly mediaType: string;
  /** RFC 9110 section 8.8.3, if the registry gives one. */
  readonly etag: string | undefined;
}

/** Conditions under which a manifest is stored (RFC 9110 section 13.1); registries may ignore them. */
export interface PutConditions {
  readonly 'if-match'?: string;
  readonly 'if-none-match'?: '*';
}

export type PutResult = 'stored' | 'stored-with-subject' | 'condition-failed';

export interface RegistryClientOptions {
  readonly findCredentials: FindCredentials;
  readonly plainHttp?: boolean;
  readonly retry?: RetryPolicy;
  readonly timing?: ExchangeTiming;
}

/** The manifest of a bundle with 128 files is below 64 KiB; a registry has to take 4 MiB, we never need to. */
export const MAX_MANIFEST_BYTES = 1024 * 1024;
/** Also says which others we would recognize, so that the answer to `pull nginx` can name what it is. */
const ACCEPTED_MANIFESTS = [
  MANIFEST_MEDIA_TYPE,
  INDEX_MEDIA_TYPE,
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ');
/** The body of an answer that only its status and headers matter of. */
const NO_BODY_BYTES = 64 * 1024;
const OCTET_STREAM = { 'content-type': 'application/octet-stream' };

/** One repository of a registry, through the API of the OCI distribution spec v1.1. */
export class RegistryClient {
  readonly #session: RegistrySession;
  readonly #base: URL;
  readonly #retry: RetryPolicy;

  /** Nothing is sent yet. */
  constructor({ registry, repository }: Reference, action: Action, options: RegistryClientOptions) {
    const { findCredentials, plainHttp = false, retry = RETRY_POLICY, timing = EXCHANGE_TIMING } = options;
    const exchange = fetchExchange(timing);
    const base = registryBase(registry, { plainHttp });
    const authorizer = new Authorizer(
      { registry, repository, action },
      findCredentials,
      tokenServer(exchange),
    );
    const task = `a ${action === 'pull' ? 'pull' : 'push'} of ${repository}`;
    this.#session = new RegistrySession(base, exchange, authorizer, task);
    this.#base = new URL(`${repository}/`, base);
    this.#retry = retry;
  }

  /**
   * @param reference tag or digest
   * @returns undefined when the registry has none of that name
   * @throws VespidError REGISTRY_DIGEST_MISMATCH when the bytes are not those of the digest that was asked for, or
   *   that the registry states; and those of every request (RegistrySession)
   */
  getManifest(reference: string, maxBytes = MAX_MANIFEST_BYTES): Promise<FetchedManifest | undefined> {
    return withRetries(this.#retry, async () => {
      const url = this.#at(`manifests/${reference}`);
      const headers = { accept: ACCEPTED_MANIFESTS };
      const answer = await this.#session.send(
        { method: 'GET', url, headers, maxBodyBytes: maxBytes },
        [200, 404],
      );
      if (answer.status === 404) return undefined;
      const digest = digestOf(answer.body);
      requireDigest(digest, isDigest(reference) ? reference : digest, url);
      requireDigest(digest, answer.headers.get('docker-content-digest') ?? digest, url);
      return {
        bytes: answer.body,
        digest,
        mediaType: mediaTypeOf(answer),
        etag: answer.headers.get('etag') ?? undefined,
      };
    });
  }

  /**
   * What a tag points to, as the registry states it: good enough to skip an upload, not to trust content.
   *
   * @param reference tag or digest
   */
  headManifest(reference: string): Promise<string | undefined> {
    return withRetries(this.#retry, async () => {
      const url = this.#at(`manifests/${reference}`);
      const headers = { accept: ACCEPTED_MANIFESTS };
      const answer = await this.#session.send({ method: 'HEAD', url, headers, maxBodyBytes: 0 }, [200, 404]);
      if (answer.status === 404) return undefined;
      return answer.headers.get('docker-content-digest') ?? (await this.getManifest(reference))?.digest;
    });
  }

  /** @param reference tag or digest to store it under */
  putManifest(
    reference: string,
    mediaType: string,
    bytes: Uint8Array,
    conditions: PutConditions = {},
  ): Promise<PutResult> {
    return withRetries(this.#retry, async () => {
      const url = this.#at(`manifests/${reference}`);
      const headers = { 'content-type': mediaType, ...conditions };
      const request = { method: 'PUT', url, headers, body: bytes, maxBodyBytes: NO_BODY_BYTES } as const;
      const answer = await this.#session.send(request, [200, 201, 412]);
      if (answer.status === 412) return 'condition-failed';
      return answer.headers.has('oci-subject') ? 'stored-with-subject' : 'stored';
    });
  }

  hasBlob(digest: string): Promise<boolean> {
    return withRetries(this.#retry, async () => {
      const url = this.#at(`blobs/${digest}`);
      const answer = await this.#session.send(
        { method: 'HEAD', url, headers: {}, maxBodyBytes: 0 },
        [200, 404],
      );
      return answer.status === 200;
    });
  }

  /**
   * @param size in bytes; one byte more is not read
   * @throws VespidError REGISTRY_NOT_FOUND, REGISTRY_DIGEST_MISMATCH, REGISTRY_ANSWER_TOO_LARGE
   */
  getBlob(digest: string, size: number): Promise<Uint8Array> {
    return withRetries(this.#retry, async () => {
      const url = this.#at(`blobs/${digest}`);
      const answer = await this.#session.send({ method: 'GET', url, headers: {}, maxBodyBytes: size }, [200]);
      requireDigest(digestOf(answer.body), digest, url);
      return answer.body;
    });
  }

  /**
   * Stores a blob in one request after the one that opens an upload ("POST then PUT"). Both are repeated on a
   * failure: an upload that broke off cannot be taken up by every registry.
   */
  putBlob(digest: string, bytes: Uint8Array): Promise<void> {
    return withRetries(this.#retry, async () => {
      const url = this.#at('blobs/uploads/');
      const opened = await this.#session.send(
        { method: 'POST', url, headers: {}, body: new Uint8Array(), maxBodyBytes: NO_BODY_BYTES },
        [202],
      );
      const target = resolveLocation(opened.headers.get('location'), url);
      target.searchParams.set('digest', digest);
      await this.#session.send(
        { method: 'PUT', url: target, headers: OCTET_STREAM, body: bytes, maxBodyBytes: NO_BODY_BYTES },
        [201],
      );
    });
  }

  /**
   * One page of the referrers API.
   *
   * @param page as an earlier answer gave it in `Link`; undefined for the first
   * @returns undefined when the registry does not have this API
   */
  getReferrersPage(
    digest: string,
    artifactType: string,
    page: URL | undefined,
    maxBytes: number,
  ): Promise<HttpAnswer | undefined> {
    return withRetries(this.#retry, async () => {
      const url = page ?? this.#at(`referrers/${digest}`);
      if (page === undefined) url.searchParams.set('artifactType', artifactType);
      const headers = { accept: INDEX_MEDIA_TYPE };
      // Registries of before 1.1 answer with one of these, or with a page for people.
      const answer = await this.#session.send(
        { method: 'GET', url, headers, maxBodyBytes: maxBytes },
        [200, 400, 404, 405, 501],
      );
      return answer.status === 200 && mediaTypeOf(answer) === INDEX_MEDIA_TYPE ? answer : undefined;
    });
  }

  #at(path: string): URL {
    return new URL(path, this.#base);
  }
}

/** `sha256:<hex>` of bytes. Node's own SHA-256: blobs may be large, and this is no trust decision by itself. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function isDigest(reference: string): boolean {
  return reference.includes(':');
}

function mediaTypeOf({ headers }: HttpAnswer): string {
  return (headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

function requireDigest(found: string, expected: string, { host, pathname }: URL): void {
  if (found === expected) return;
  throw new VespidError(
    'REGISTRY_DIGEST_MISMATCH',
    `${host} serves ${found} for ${pathname}, expected ${expected}`,
    { hint: 'do not use this copy: the registry, or something before it, does not serve what was pushed' },
  );
}

import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StoredManifest {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export interface MemoryRegistryOptions {
  /** With the referrers API of distribution 1.1; without it as docker-registry 2.8. */
  readonly referrersApi?: boolean;
  /** Honours If-Match and If-None-Match on manifests. */
  readonly conditionalPut?: boolean;
}

/** Looks at a request before the registry does; true when it has answered. */
export type Intercept = (
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
) => boolean | Promise<boolean>;

const INDEX = 'application/vnd.oci.image.index.v1+json';

/**
 * A registry of one process and one repository, on a loopback port. Honest by itself; `intercept` is where a test
 * makes it lie, stall or ask for a password.
 */
export class MemoryRegistry implements AsyncDisposable {
  /** By digest and by tag. */
  readonly manifests = new Map<string, StoredManifest>();
  readonly blobs = new Map<string, Buffer>();
  /** `METHOD path` of every request, in order. */
  readonly requests: string[] = [];
  /** The Authorization header of every request, beside `requests`. */
  readonly authorizations: (string | undefined)[] = [];
  intercept: Intercept | undefined;
  readonly #options: MemoryRegistryOptions;
  readonly #server: Server;

  private constructor(options: MemoryRegistryOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : undefined);
      });
    });
  }

  static async start(options: MemoryRegistryOptions = {}): Promise<MemoryRegistry> {
    const registry = new MemoryRegistry(options);
    await new Promise<void>((resolve) => registry.#server.listen(0, '127.0.0.1', resolve));
    return registry;
  }

  get host(): string {
    // listen() on a port gives an address with a port.
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Requests that change something. */
  get uploads(): readonly string[] {
    return this.requests.filter((line) => /^(POST|PUT|PATCH|DELETE) /.test(line));
  }

  addBlob(bytes: Uint8Array): string {
    const digest = digestOf(bytes);
    this.blobs.set(digest, Buffer.from(bytes));
    return digest;
  }

  addManifest(mediaType: string, bytes: Uint8Array, tag?: string): string {
    const digest = digestOf(bytes);
    const stored = { mediaType, bytes: Buffer.from(bytes) };
    this.manifests.set(digest, stored);
    if (tag !== undefined) this.manifests.set(tag, stored);
    return digest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<ServerResponse | undefined> {
    this.requests.push(`${request.method} ${request.url}`);
    this.authorizations.push(request.headers.authorization);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if ((await this.intercept?.(request, response, body)) === true) return undefined;
    const url = new URL(request.url ?? '/', 'http://registry');
    const [, name, kind, reference] =
      /^\/v2\/(.+)\/(manifests|blobs\/uploads|blobs|referrers)\/([^/]*)$/.exec(url.pathname) ?? [];
    if (name === undefined || reference === undefined)
      return end(response, url.pathname === '/v2/' ? 200 : 404);
    switch (kind) {
      case 'manifests':
        return this.#manifest(request, response, reference, body);
      case 'blobs':
        return sendStored(request, response, this.blobs.get(reference), 'application/octet-stream');
      case 'blobs/uploads':
        return this.#upload(request, response, url, body);
      default:
        return this.#referrers(response, reference, url);
    }
  }

  #manifest(
    request: IncomingMessage,
    response: ServerResponse,
    reference: string,
    bytes: Buffer,
  ): ServerResponse {
    const stored = this.manifests.get(reference);
    if (request.method !== 'PUT')
      return sendStored(request, response, stored?.bytes, stored?.mediaType ?? '');
    if (this.#options.conditionalPut === true && !conditionsHold(request, stored)) return end(response, 412);
    const digest = this.addManifest(request.headers['content-type'] ?? '', bytes);
    this.manifests.set(reference, { mediaType: request.headers['content-type'] ?? '', bytes });
    const subject: unknown = JSON.parse(bytes.toString()).subject?.digest;
    const understood = this.#options.referrersApi === true && typeof subject === 'string';
    return end(response, 201, {
      'docker-content-digest': digest,
      ...(understood ? { 'oci-subject': subject } : {}),
    });
  }

  #upload(request: IncomingMessage, response: ServerResponse, url: URL, body: Buffer): ServerResponse {
    if (request.method === 'POST')
      return end(response, 202, { location: `${url.pathname}${randomUUID()}?_state=x` });
    const digest = url.searchParams.get('digest');
    if (digest !== digestOf(body)) return end(response, 400);
    this.blobs.set(digest, body);
    return end(response, 201, { 'docker-content-digest': digest });
  }

  #referrers(response: ServerResponse, digest: string, url: URL): ServerResponse {
    if (this.#options.referrersApi !== true) return end(response, 404);
    const manifests = [...this.manifests]
      .filter(([name]) => name.startsWith('sha256:'))
      .map(([name, { mediaType, bytes }]) => ({
        name,
        mediaType,
        bytes,
        manifest: JSON.parse(bytes.toString()),
      }))
      .filter(({ manifest }) => manifest.subject?.digest === digest)
      .filter(({ manifest }) => [null, manifest.artifactType].includes(url.searchParams.get('artifactType')))
      .map(({ name, mediaType, bytes, manifest: { artifactType, annotations } }) => ({
        ...{ mediaType, digest: name, size: bytes.length, artifactType, annotations },
      }));
    const index = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests });
    return response.writeHead(200, { 'content-type': INDEX }).end(index);
  }
}

/** RFC 9110 section 13.1. */
function conditionsHold({ headers }: IncomingMessage, stored: StoredManifest | undefined): boolean {
  if (headers['if-none-match'] === '*' && stored !== undefined) return false;
  const wanted = headers['if-match'];
  return wanted === undefined || (stored !== undefined && wanted === `"${digestOf(stored.bytes)}"`);
}

function sendStored(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Buffer | undefined,
  mediaType: string,
): ServerResponse {
  if (bytes === undefined) return end(response, 404);
  const digest = digestOf(bytes);
  response.writeHead(200, {
    'content-type': mediaType,
    'content-length': bytes.length,
    'docker-content-digest': digest,
    etag: `"${digest}"`,
  });
  return response.end(request.method === 'HEAD' ? undefined : bytes);
}

export function end(
  response: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
): ServerResponse {
  return response.writeHead(status, { 'content-length': 0, ...headers }).end();
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

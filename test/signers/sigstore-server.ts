import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fulcioHandler, rekorHandler, tsaHandler } from '@sigstore/mock';
import { asRekorStores } from '../signing/attestation/rekor-entry.js';
import { ISSUER, SigstoreInstance, SUBJECT } from '../signing/attestation/sigstore-instance.js';

/** What a service answers instead of doing its work. */
export interface Answer {
  readonly status: number;
  readonly body?: string;
  readonly contentType?: string;
  /** Of this many requests; then it works again. */
  readonly times?: number;
}

const PATHS = {
  fulcio: '/api/v2/signingCert',
  rekor: '/api/v1/log/entries',
  timestamp: '/api/v1/timestamp',
  token: '/github/token',
} as const;

type Service = keyof typeof PATHS;

/** Fulcio, Rekor, a timestamp authority and GitHub's token service behind one loopback port. */
export class SigstoreServer implements AsyncDisposable {
  readonly sigstore: SigstoreInstance;
  readonly requests: {
    readonly service: Service | undefined;
    readonly headers: IncomingMessage['headers'];
  }[] = [];
  readonly #server: Server;
  readonly #handlers: Readonly<Record<Exclude<Service, 'token'>, (body: string) => Promise<HandlerAnswer>>>;
  readonly #faults = new Map<Service, { answer: Answer; left: number }>();

  private constructor(
    sigstore: SigstoreInstance,
    handlers: Readonly<Record<Exclude<Service, 'token'>, (body: string) => Promise<HandlerAnswer>>>,
  ) {
    this.sigstore = sigstore;
    this.#handlers = handlers;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
  }

  static async start(): Promise<SigstoreServer> {
    const sigstore = await SigstoreInstance.start();
    const rekor = await sigstore.rekor();
    const server = new SigstoreServer(sigstore, {
      fulcio: fulcioHandler(sigstore.ca).fn,
      rekor: rekorHandler({
        publicKey: rekor.publicKey,
        log: (proposed) => rekor.log(canonicalized(proposed)),
      }).fn,
      timestamp: tsaHandler(sigstore.tsa).fn,
    });
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    // A TCP server has an address of this form while it listens.
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  /** The variables that GitHub Actions gives to a job that may have a token. */
  get githubEnvironment(): Record<string, string> {
    return {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${this.url}${PATHS.token}?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner-secret',
    };
  }

  fail(service: Service, answer: Answer): void {
    this.#faults.set(service, { answer, left: answer.times ?? Number.POSITIVE_INFINITY });
  }

  /** All services work again, and nothing was asked yet. */
  reset(): void {
    this.#faults.clear();
    this.requests.length = 0;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', this.url).pathname;
    const service = (Object.keys(PATHS) as Service[]).find((name) => PATHS[name] === path);
    this.requests.push({ service, headers: request.headers });
    const body = await text(request);
    const fault = service === undefined ? undefined : this.#faults.get(service);
    if (fault !== undefined && fault.left > 0) {
      fault.left--;
      const { status, body: fixed = '', contentType = 'application/json' } = fault.answer;
      response.writeHead(status, { 'Content-Type': contentType }).end(fixed);
    } else if (service === 'token') {
      const { searchParams } = new URL(request.url ?? '/', this.url);
      const value = identityToken({ aud: searchParams.get('audience') });
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ value }));
    } else if (service === undefined) {
      response.writeHead(404).end();
    } else {
      const { statusCode, response: result, contentType } = await this.#handlers[service](body);
      response.writeHead(statusCode, { 'Content-Type': contentType ?? 'text/plain' }).end(result);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

interface HandlerAnswer {
  readonly statusCode: number;
  readonly response: string | Buffer;
  readonly contentType?: string;
}

/** An unsigned token: the mocked Fulcio looks at its claims only. */
export function identityToken(claims: Readonly<Record<string, unknown>> = {}): string {
  const exp = Math.floor(Date.now() / 1000) + 600;
  const payload = { iss: ISSUER, sub: SUBJECT, aud: 'sigstore', exp, ...claims };
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${encode({ alg: 'none', typ: 'JWT' })}.${encode(payload)}.c2ln`;
}

/** Rekor does not store what it is given, but what it makes of it; the mock stores what it is given. */
function canonicalized(proposed: object): object {
  // Only @sigstore/sign calls this server; were the form another, the reads below would fail.
  const { spec } = proposed as {
    readonly spec: { readonly proposedContent: { readonly envelope: string; readonly verifiers: string[] } };
  };
  const envelope = JSON.parse(spec.proposedContent.envelope) as {
    readonly payload: string;
    readonly payloadType: string;
    readonly signatures: readonly { readonly sig: string }[];
  };
  const pem = Buffer.from(spec.proposedContent.verifiers[0] ?? '', 'base64').toString();
  return asRekorStores({
    certificate: Buffer.from(pem.replace(/-----[A-Z ]+-----/g, ''), 'base64'),
    signature: Buffer.from(envelope.signatures[0]?.sig ?? '', 'base64'),
    payload: Buffer.from(envelope.payload, 'base64'),
    payloadType: envelope.payloadType,
  });
}

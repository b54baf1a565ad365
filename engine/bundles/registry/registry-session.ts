import { VespidError } from '../../errors/index.js';
import type { Authorizer } from './authorizer.js';
import type { Exchange, HttpAnswer, HttpRequest } from './http-exchange.js';
import { resolveLocation } from './registry-location.js';
import { statusFailure } from './status-failure.js';

/** RFC 9110 section 15.4: those that a GET or HEAD may follow. */
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Registries send their clients to a store once, and that one perhaps to a mirror. */
const MAX_REDIRECTS = 4;

/** Requests to one registry: authorized where it asks for it, led on where it sends us, its failures as errors. */
export class RegistrySession {
  readonly #base: URL;
  readonly #exchange: Exchange;
  readonly #authorizer: Authorizer;
  /** "a pull of HOST/REPOSITORY", for messages. */
  readonly #task: string;

  constructor(base: URL, exchange: Exchange, authorizer: Authorizer, task: string) {
    this.#base = base;
    this.#exchange = exchange;
    this.#authorizer = authorizer;
    this.#task = task;
  }

  /**
   * Sends a request, a second time if the registry asks for authorization.
   *
   * @param request whose URL is below `/v2/`, or one that the registry gave and resolveLocation allowed
   * @param expected statuses that the caller knows what to do with
   * @throws TransientFailure; VespidError REGISTRY_UNAUTHORIZED, REGISTRY_DENIED, REGISTRY_NOT_FOUND,
   *   REGISTRY_REFUSED, REGISTRY_INSECURE, REGISTRY_ANSWER_*
   */
  async send(request: HttpRequest, expected: readonly number[]): Promise<HttpAnswer> {
    let answer = await this.#follow(request);
    // A store that a redirect led to has no business with our credentials.
    if (answer.status === 401 && answer.url.origin === this.#base.origin) {
      const header = await this.#authorizer.answerChallenge(answer);
      if (header === undefined) throw await this.#authorizer.unauthorized(answer, this.#task);
      answer = await this.#follow(request);
    }
    if (expected.includes(answer.status)) return answer;
    if (answer.status === 401) throw await this.#authorizer.unauthorized(answer, this.#task);
    throw statusFailure(answer, this.#task, this.#authorizer.secrets);
  }

  async #follow(request: HttpRequest): Promise<HttpAnswer> {
    const mayFollow = request.method === 'GET' || request.method === 'HEAD';
    let { url } = request;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const answer = await this.#exchange({ ...request, url, headers: this.#headersFor(url, request) });
      const location = answer.headers.get('location');
      if (!mayFollow || !REDIRECTS.has(answer.status) || location === null) return answer;
      url = resolveLocation(location, url);
    }
    throw new VespidError(
      'REGISTRY_ANSWER_INVALID',
      `${this.#base.host} answers ${this.#task} with more than ${MAX_REDIRECTS} redirects`,
      { hint: 'check that the address is that of an OCI registry' },
    );
  }

  /** Credentials go to the registry's own origin (scheme, host and port) and nowhere else. */
  #headersFor(url: URL, { headers }: HttpRequest): Readonly<Record<string, string>> {
    const authorization = this.#authorizer.header;
    if (authorization === undefined || url.origin !== this.#base.origin) return headers;
    return { ...headers, authorization };
  }
}

import { VespidError } from '../../errors/index.js';
import { parseChallenge } from './challenge.js';
import { type Credentials, encodeBasic, type FindCredentials, secretsOf } from './credentials.js';
import type { HttpAnswer } from './http-exchange.js';
import type { RequestToken } from './token-server.js';

/** What a client is going to do with one repository: the scope of its tokens. */
export type Action = 'pull' | 'pull,push';

/** What an Authorizer is made for. */
export interface AuthorizerTarget {
  readonly registry: string;
  readonly repository: string;
  readonly action: Action;
}

/**
 * Answers the challenges of one registry for one repository and one action. Nothing is sent before the registry
 * asks, and nothing is remembered beyond this object.
 */
export class Authorizer {
  readonly #target: AuthorizerTarget;
  readonly #findCredentials: FindCredentials;
  readonly #requestToken: RequestToken;
  #credentials: Promise<Credentials | undefined> | undefined;
  #header: string | undefined;
  #secrets: readonly string[] = [];

  constructor(target: AuthorizerTarget, findCredentials: FindCredentials, requestToken: RequestToken) {
    this.#target = target;
    this.#findCredentials = findCredentials;
    this.#requestToken = requestToken;
  }

  /** The Authorization header of the last challenge that was answered. */
  get header(): string | undefined {
    return this.#header;
  }

  /** Everything secret that was sent so far. */
  get secrets(): readonly string[] {
    return this.#secrets;
  }

  /**
   * Answers a challenge.
   *
   * @param answer one with status 401
   * @returns the header to try next; undefined when there is nothing (else) to try
   * @throws VespidError REGISTRY_CREDENTIALS_UNREADABLE, and those of the token server
   */
  async answerChallenge({ headers, url }: HttpAnswer): Promise<string | undefined> {
    const challenge = parseChallenge(headers.get('www-authenticate') ?? '');
    if (challenge === undefined) return undefined;
    const credentials = await this.#lookUpCredentials();
    const tried = this.#header;
    this.#header =
      challenge.scheme === 'basic'
        ? basicHeader(credentials)
        : `Bearer ${await this.#requestToken({ challenge, credentials, scope: this.#scope, registry: url })}`;
    this.#secrets = [...secretsOf(credentials), ...(this.#header?.split(' ').slice(1) ?? [])];
    // The same password again would be refused again; a token may only have expired.
    return challenge.scheme === 'basic' && this.#header === tried ? undefined : this.#header;
  }

  /** Says what was tried, so that the reader knows which login to repair. */
  async unauthorized(answer: HttpAnswer, task: string): Promise<VespidError> {
    const credentials = await this.#lookUpCredentials();
    const tried =
      credentials === undefined ? 'no credentials were found for it' : `tried ${credentials.source}`;
    return unauthorizedError(
      this.#target.registry,
      `${answer.url.host} refuses ${task} without authorization; ${tried}`,
    );
  }

  get #scope(): string {
    return `repository:${this.#target.repository}:${this.#target.action}`;
  }

  #lookUpCredentials(): Promise<Credentials | undefined> {
    this.#credentials ??= this.#findCredentials(this.#target.registry);
    return this.#credentials;
  }
}

/** @param registry the host to log in to */
export function unauthorizedError(registry: string, message: string): VespidError {
  return new VespidError('REGISTRY_UNAUTHORIZED', message, {
    hint: `log in with \`docker login ${registry}\`; Vespid reads config.json in $DOCKER_CONFIG or ~/.docker`,
  });
}

/** A registry that asks for a password has no use for a token of another kind. */
function basicHeader(credentials: Credentials | undefined): string | undefined {
  if (credentials?.kind !== 'password') return undefined;
  return `Basic ${encodeBasic(credentials.username, credentials.password)}`;
}

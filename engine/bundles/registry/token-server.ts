import { VespidError } from '../../errors/index.js';
import { unauthorizedError } from './authorizer.js';
import type { Challenge } from './challenge.js';
import { type Credentials, encodeBasic, secretsOf } from './credentials.js';
import type { Exchange, HttpAnswer, HttpRequest } from './http-exchange.js';
import { resolveLocation } from './registry-location.js';
import { statusFailure } from './status-failure.js';

export interface TokenRequest {
  readonly challenge: Extract<Challenge, { scheme: 'bearer' }>;
  readonly credentials: Credentials | undefined;
  /** `repository:NAME:ACTIONS` */
  readonly scope: string;
  /** The address that gave the challenge. */
  readonly registry: URL;
}

export type RequestToken = (request: TokenRequest) => Promise<string>;

/** Tokens with long lists of rights have a few KiB. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** What may stand in a header: RFC 6750 section 2.1, b64token. */
const ACCESS_TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * Asks a token server for an access token (distribution's "Token Authentication Specification", and its OAuth2
 * form for refresh tokens). Redirects are not followed: the request holds a password.
 *
 * @throws (the function that it returns) VespidError REGISTRY_UNAUTHORIZED, REGISTRY_INSECURE,
 *   REGISTRY_ANSWER_INVALID, and TransientFailure
 */
export function tokenServer(exchange: Exchange): RequestToken {
  return async (request) => {
    const { challenge, credentials, registry } = request;
    if (credentials?.kind === 'access-token') return requireToken(credentials.token, registry);
    const realm = resolveLocation(challenge.realm, registry);
    const answer = await exchange(
      credentials?.kind === 'refresh-token'
        ? refreshRequest(realm, credentials.token, request)
        : passwordRequest(realm, credentials, request),
    );
    if (answer.status === 200) return requireToken(readToken(answer), realm);
    if (answer.status === 401 || answer.status === 403) throw refusedBy(realm, request);
    throw statusFailure(answer, 'the request for a token', secretsOf(credentials));
  };
}

function passwordRequest(
  realm: URL,
  credentials: Credentials | undefined,
  request: TokenRequest,
): HttpRequest {
  const url = new URL(realm);
  if (request.challenge.service !== undefined) url.searchParams.set('service', request.challenge.service);
  url.searchParams.set('scope', request.scope);
  const headers: Record<string, string> =
    credentials?.kind === 'password'
      ? { authorization: `Basic ${encodeBasic(credentials.username, credentials.password)}` }
      : {};
  return { method: 'GET', url, headers, maxBodyBytes: MAX_ANSWER_BYTES };
}

function refreshRequest(realm: URL, refreshToken: string, { challenge, scope }: TokenRequest): HttpRequest {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    client_id: 'vespid',
    refresh_token: refreshToken,
    scope,
    ...(challenge.service === undefined ? {} : { service: challenge.service }),
  });
  return {
    method: 'POST',
    url: realm,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new TextEncoder().encode(form.toString()),
    maxBodyBytes: MAX_ANSWER_BYTES,
  };
}

/** `token` is distribution's own name, `access_token` that of OAuth2; a server may give both. */
function readToken({ body }: HttpAnswer): unknown {
  try {
    const document: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    if (typeof document !== 'object' || document === null) return undefined;
    if ('token' in document) return document.token;
    return 'access_token' in document ? document.access_token : undefined;
  } catch {
    return undefined;
  }
}

function requireToken(token: unknown, source: URL): string {
  if (typeof token === 'string' && ACCESS_TOKEN.test(token)) return token;
  throw new VespidError('REGISTRY_ANSWER_INVALID', `${source.host} gives no usable token`, {
    hint: 'check the token server of the registry, or the registrytoken of the docker config',
  });
}

function refusedBy(realm: URL, { credentials, registry, scope }: TokenRequest): VespidError {
  const tried =
    credentials === undefined ? 'no credentials were found for it' : `tried ${credentials.source}`;
  return unauthorizedError(
    registry.host,
    `${realm.host}, the token server of ${registry.host}, gives no token for ${scope}; ${tried}`,
  );
}

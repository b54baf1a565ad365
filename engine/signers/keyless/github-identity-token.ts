import { setTimeout as sleep } from 'node:timers/promises';
import { VespidError } from '../../errors/index.js';

/** How long to wait for a service, and how often to ask again. */
export interface RequestTiming {
  readonly timeoutMs: number;
  /** After the first attempt. */
  readonly retries: number;
  /** Before the first retry; doubled before each further one. */
  readonly backoffMs: number;
}

/** What Fulcio's public instance wants in the token's `aud`. */
const AUDIENCE = 'sigstore';

/**
 * Asks GitHub Actions for a token of the running job ("OpenID Connect reference", "Methods for requesting the OIDC
 * token"). Undefined outside of GitHub Actions, and for a job without `id-token: write`.
 *
 * @throws VespidError SIGNER_TOKEN_UNAVAILABLE
 */
export async function requestGithubToken(
  environment: Readonly<Record<string, string | undefined>>,
  { timeoutMs, retries, backoffMs }: RequestTiming,
): Promise<string | undefined> {
  const address = environment['ACTIONS_ID_TOKEN_REQUEST_URL'];
  const secret = environment['ACTIONS_ID_TOKEN_REQUEST_TOKEN'];
  if (!address || !secret) return undefined;
  const url = withAudience(address);
  for (let attempt = 0; ; attempt++) {
    const answer = await ask(url, secret, timeoutMs);
    if ('token' in answer) return answer.token;
    if (!answer.mayPass || attempt >= retries) throw unavailable(answer.fault);
    await sleep(backoffMs * 2 ** attempt);
  }
}

function withAudience(address: string): URL {
  if (!URL.canParse(address)) throw unavailable('ACTIONS_ID_TOKEN_REQUEST_URL is no URL');
  const url = new URL(address);
  url.searchParams.set('audience', AUDIENCE);
  return url;
}

/** `mayPass`: another attempt can end differently. */
type Answer = { readonly token: string } | { readonly fault: string; readonly mayPass: boolean };

async function ask(url: URL, secret: string, timeoutMs: number): Promise<Answer> {
  try {
    const response = await fetch(url, {
      headers: { Authorization: `Bearer ${secret}`, Accept: 'application/json' },
      // The secret is for this address only.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) {
      await response.body?.cancel();
      const mayPass = response.status >= 500 || response.status === 429;
      return { fault: `the service answered with status ${response.status}`, mayPass };
    }
    const body: unknown = await response.json();
    const token = typeof body === 'object' && body !== null && 'value' in body ? body.value : undefined;
    return typeof token === 'string' ? { token } : { fault: 'the answer has no token in it', mayPass: false };
  } catch (error) {
    return { fault: reasonOf(error), mayPass: true };
  }
}

/** "fetch failed" alone says nothing; the reason is the error underneath. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function unavailable(fault: string): VespidError {
  return new VespidError(
    'SIGNER_TOKEN_UNAVAILABLE',
    `expected an identity token from GitHub Actions, found: ${fault}`,
    { hint: 'check that the job has `permissions: { id-token: write }`, and run it again' },
  );
}

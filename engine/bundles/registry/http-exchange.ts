import { VespidError } from '../../errors/index.js';
import { readBody, readBodyStart } from './bounded-body.js';
import { transportFailure } from './transport-failure.js';

/** One request of the registry's API. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** More than this is refused unread. */
  readonly maxBodyBytes: number;
}

/** A whole answer: status line, headers and body have arrived within the limits. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** Where the answer came from, after redirects. */
  readonly url: URL;
}

/** Sends a request once and gives the whole answer, of whichever status. */
export type Exchange = (request: HttpRequest) => Promise<HttpAnswer>;

export interface ExchangeTiming {
  /** For the headers, and for every body beside its time by rate. */
  readonly answerMs: number;
  /** The slowest link that is still served; one that drips below it cannot hold a node for ever. */
  readonly minBytesPerSecond: number;
}

export const EXCHANGE_TIMING: ExchangeTiming = { answerMs: 30_000, minBytesPerSecond: 32 * 1024 };

/** Errors of the registry come with a short JSON document (OCI distribution spec v1.1, "Error codes"). */
const MAX_ERROR_BODY_BYTES = 64 * 1024;

/**
 * An {@link Exchange} over Node's fetch. Redirects are answers like any other, nothing is decompressed, and one
 * deadline stands over the whole exchange.
 *
 * @throws (the function that it returns) TransientFailure when a second try may succeed; VespidError
 *   REGISTRY_UNREACHABLE, REGISTRY_ANSWER_TOO_LARGE
 */
export function fetchExchange(timing: ExchangeTiming = EXCHANGE_TIMING): Exchange {
  return async (request) => {
    const { method, url, body, maxBodyBytes } = request;
    const transferBytes = (body?.length ?? 0) + maxBodyBytes;
    const deadlineMs = timing.answerMs + (transferBytes / timing.minBytesPerSecond) * 1000;
    const signal = AbortSignal.timeout(Math.ceil(deadlineMs));
    try {
      const response = await fetch(url, {
        method,
        headers: { ...request.headers, 'accept-encoding': 'identity', 'user-agent': 'vespid' },
        redirect: 'manual',
        signal,
        ...(body === undefined ? {} : { body }),
      });
      const bytes = await readAnswer(response, request);
      return { status: response.status, headers: response.headers, body: bytes, url };
    } catch (cause) {
      if (cause instanceof VespidError) throw cause;
      throw transportFailure(cause, url, deadlineMs);
    }
  };
}

async function readAnswer(
  response: Response,
  { method, url, maxBodyBytes }: HttpRequest,
): Promise<Uint8Array> {
  if (method === 'HEAD') return new Uint8Array();
  return response.ok ? readBody(response, maxBodyBytes, url) : readBodyStart(response, MAX_ERROR_BODY_BYTES);
}

import { setTimeout as wait } from 'node:timers/promises';
import type { VespidError } from '../../errors/index.js';

/** A failure that may not last. Carries what to say when it does. */
export class TransientFailure extends Error {
  override readonly name = 'TransientFailure';
  readonly failure: VespidError;
  /** What the registry asked for in `Retry-After`. */
  readonly retryAfterMs: number | undefined;

  constructor(failure: VespidError, retryAfterMs?: number) {
    super(failure.message);
    this.failure = failure;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface RetryPolicy {
  readonly attempts: number;
  /** Before the second attempt; it doubles for each further one. */
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** A registry that asks for more patience than this is as good as down. */
  readonly maxRetryAfterMs: number;
  readonly sleep: (delayMs: number) => Promise<unknown>;
  /** In [0, 1). */
  readonly random: () => number;
}

export const RETRY_POLICY: RetryPolicy = {
  attempts: 5,
  firstDelayMs: 250,
  maxDelayMs: 8_000,
  maxRetryAfterMs: 60_000,
  sleep: wait,
  random: Math.random,
};

/**
 * Runs an operation until it ends in something else than a transient failure, or the attempts are used up.
 *
 * @throws what the operation throws; for a transient failure the VespidError in it
 */
export async function withRetries<Result>(
  policy: RetryPolicy,
  operation: () => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation();
    } catch (error) {
      if (!(error instanceof TransientFailure)) throw error;
      const delayMs = delayBefore(attempt, error, policy);
      if (delayMs === undefined) throw error.failure;
      await policy.sleep(delayMs);
    }
  }
}

/** Between half and all of the doubled delay, so that clients that failed together do not return together. */
function delayBefore(
  attempt: number,
  { retryAfterMs }: TransientFailure,
  policy: RetryPolicy,
): number | undefined {
  if (attempt >= policy.attempts) return undefined;
  if (retryAfterMs !== undefined && retryAfterMs > policy.maxRetryAfterMs) return undefined;
  const backoffMs = Math.min(policy.firstDelayMs * 2 ** (attempt - 1), policy.maxDelayMs);
  return Math.max(retryAfterMs ?? 0, backoffMs * (0.5 + policy.random() / 2));
}

/**
 * RFC 9110 section 10.2.3: seconds, or a date.
 *
 * @returns milliseconds from `now`; undefined when the header says neither
 */
export function parseRetryAfter(header: string | null, now: Date): number | undefined {
  if (header === null) return undefined;
  if (/^[0-9]{1,9}$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime());
}

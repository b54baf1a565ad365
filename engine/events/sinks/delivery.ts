import { VespidError } from '../../errors/index.js';
import type { VespidEvent } from '../event.js';
import { type BatchLimit, type EncodedEvent, EventQueue, encodeEvent } from './event-queue.js';
import { FailureNotices } from './failure-notices.js';
import type { SinkNotice, SinkStats } from './sink.js';

export interface DeliveryOptions {
  readonly sink: string;
  readonly queueLimitBytes: number;
  readonly batchLimit: BatchLimit;
  readonly backoff: Backoff;
  /**
   * Delivers the batch in order and gives how many of it arrived; the others can never be delivered. Rejects if
   * it failed for now: it is then called again with the very same array. Must end soon after `signal` aborts.
   */
  readonly deliver: (batch: readonly EncodedEvent[], signal: AbortSignal) => Promise<number>;
  readonly explain: (error: unknown) => VespidError;
  /** Whether trying again is in vain. */
  readonly isFinal?: (error: unknown) => boolean;
  readonly onNotice: (notice: SinkNotice) => void;
}

/** Waiting times between attempts: doubled each time, with jitter so that hosts do not come back in step. */
export interface Backoff {
  readonly initialMs: number;
  readonly maxMs: number;
}

const JITTER = 0.2;
/** How long closing waits for a delivery under way to notice that it was aborted. */
const ABORT_GRACE_MS = 500;

/**
 * The queue between `write` and a medium: one batch under way at a time, tried until it arrives, so the order
 * holds and nothing accepted is lost while the process lives. Every loss is counted.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #queue: EventQueue;
  readonly #notices: FailureNotices;
  readonly #abort = new AbortController();
  #state: 'open' | 'broken' | 'closed' = 'open';
  #batch: readonly EncodedEvent[] = [];
  #running: Promise<void> | undefined;
  #attempts = 0;
  #lastError: VespidError | undefined;
  #endBackoff: (() => void) | undefined;
  #counts = { accepted: 0, delivered: 0, retried: 0, dropped: 0 };
  readonly #idleWaiters = new Set<() => void>();

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#queue = new EventQueue(options.queueLimitBytes);
    this.#notices = new FailureNotices(options.sink, options.onNotice);
  }

  stats(): SinkStats {
    return { ...this.#counts, pending: this.#pending };
  }

  write(events: readonly VespidEvent[]): void {
    let refused = 0;
    for (const event of events) {
      if (this.#state === 'open' && this.#queue.push(encodeEvent(event))) this.#counts.accepted++;
      else refused++;
    }
    if (refused > 0) this.#refuse(refused);
    this.#start();
  }

  async flush(timeoutMs: number): Promise<void> {
    if (this.#pending === 0 || this.#state !== 'open') return;
    this.#attempts = 0;
    this.#endBackoff?.();
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#idleWaiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#idleWaiters.add(done);
    });
  }

  /** Gives up what is pending. Resolves soon, even if a delivery under way does not end. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#abort.abort();
    this.#endBackoff?.();
    await endsWithin(this.#running, ABORT_GRACE_MS);
    const undelivered = this.#giveUp();
    if (undelivered > 0) this.#notices.closedWith(undelivered, this.#lastError);
  }

  get #pending(): number {
    return this.#queue.length + this.#batch.length;
  }

  /** Starts after the events of this turn of the event loop are in, so that they go out as one batch. */
  #start(): void {
    if (this.#state !== 'open' || this.#running !== undefined || this.#queue.length === 0) return;
    this.#running = new Promise<void>((resolve) => setImmediate(resolve))
      .then(() => this.#run())
      .finally(() => {
        this.#running = undefined;
        this.#start();
      });
  }

  async #run(): Promise<void> {
    while (this.#state === 'open') {
      if (this.#batch.length === 0) this.#batch = this.#queue.take(this.#options.batchLimit);
      if (this.#batch.length === 0) break;
      await this.#attempt(this.#batch);
    }
    for (const done of this.#idleWaiters) done();
  }

  async #attempt(batch: readonly EncodedEvent[]): Promise<void> {
    try {
      const delivered = await this.#options.deliver(batch, this.#abort.signal);
      // The batch is no longer ours if closing gave it up meanwhile.
      if (this.#batch === batch) this.#settle(delivered);
    } catch (error) {
      if (this.#state === 'open') await this.#recover(error);
    }
  }

  #settle(delivered: number): void {
    this.#counts.delivered += delivered;
    this.#counts.dropped += this.#batch.length - delivered;
    const undeliverable = this.#batch.length - delivered;
    this.#batch = [];
    this.#attempts = 0;
    this.#notices.succeeded(this.#pending);
    if (undeliverable > 0) this.#notices.lost(tooLarge(), this.#counts.dropped);
  }

  async #recover(error: unknown): Promise<void> {
    const explained = this.#options.explain(error);
    this.#lastError = explained;
    if (this.#options.isFinal?.(error) === true) {
      this.#state = 'broken';
      this.#giveUp();
      this.#notices.lost(explained, this.#counts.dropped);
      return;
    }
    this.#notices.failed(explained, this.#pending);
    await this.#backOff();
    if (this.#state === 'open') this.#counts.retried++;
  }

  #backOff(): Promise<void> {
    const { initialMs, maxMs } = this.#options.backoff;
    const delayMs = Math.min(maxMs, initialMs * 2 ** this.#attempts) * (1 - JITTER * Math.random());
    this.#attempts++;
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#endBackoff = undefined;
        resolve();
      };
      const timer = setTimeout(end, delayMs);
      this.#endBackoff = end;
    });
  }

  #refuse(refused: number): void {
    this.#counts.dropped += refused;
    if (this.#state === 'open')
      this.#notices.lost(queueFull(this.#options.queueLimitBytes), this.#counts.dropped);
  }

  #giveUp(): number {
    const undelivered = this.#batch.length + this.#queue.clear();
    this.#batch = [];
    this.#counts.dropped += undelivered;
    return undelivered;
  }
}

function queueFull(limitBytes: number): VespidError {
  return new VespidError('SINK_QUEUE_FULL', `the queue of ${Math.round(limitBytes / 2 ** 20)} MiB is full`, {
    hint: 'events come faster than they can be delivered, or the receiver is away for long',
  });
}

function tooLarge(): VespidError {
  return new VespidError('SINK_EVENT_TOO_LARGE', 'the receiver refuses an event for its size', {
    hint: "raise the topic's max.message.bytes",
  });
}

async function endsWithin(work: Promise<void> | undefined, timeoutMs: number): Promise<void> {
  if (work === undefined) return;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([work, timeout]);
  clearTimeout(timer);
}

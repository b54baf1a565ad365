import type { VespidError } from '../../errors/index.js';
import type { VespidEvent } from '../event.js';
import { Delivery } from './delivery.js';
import { LineWriter } from './line-writer.js';
import type { Sink, SinkNotice, SinkStats } from './sink.js';

/** What waits while a disk is full or a pipe is not read. */
const QUEUE_LIMIT_BYTES = 64 * 2 ** 20;
/** One write(2): large enough to cost little, small enough to build quickly. */
const BATCH_LIMIT = { events: 1024, bytes: 256 * 2 ** 10 };
const BACKOFF = { initialMs: 100, maxMs: 5_000 };

export interface LineSinkOptions {
  readonly name: string;
  readonly fd: number;
  /** Written before the first event. */
  readonly firstBytes?: string;
  readonly explain: (error: unknown) => VespidError;
  readonly isFinal?: (error: unknown) => boolean;
  /** Called once, when nothing is written any more. */
  readonly release: () => Promise<void>;
  readonly onNotice: (notice: SinkNotice) => void;
  readonly queueLimitBytes?: number;
}

/** Events as JSON lines into a file descriptor. Writes run off the event loop's thread. */
export class LineSink implements Sink {
  readonly name: string;
  readonly #delivery: Delivery;
  readonly #release: () => Promise<void>;
  #released: Promise<void> | undefined;

  constructor(options: LineSinkOptions) {
    const writer = new LineWriter(options.fd, options.firstBytes);
    this.name = options.name;
    this.#release = options.release;
    this.#delivery = new Delivery({
      sink: options.name,
      queueLimitBytes: options.queueLimitBytes ?? QUEUE_LIMIT_BYTES,
      batchLimit: BATCH_LIMIT,
      backoff: BACKOFF,
      deliver: (batch, signal) => writer.deliver(batch, signal),
      explain: options.explain,
      ...(options.isFinal === undefined ? {} : { isFinal: options.isFinal }),
      onNotice: options.onNotice,
    });
  }

  write(events: readonly VespidEvent[]): void {
    this.#delivery.write(events);
  }

  flush(timeoutMs: number): Promise<void> {
    return this.#delivery.flush(timeoutMs);
  }

  async close(): Promise<void> {
    await this.#delivery.close();
    this.#released ??= this.#release();
    await this.#released;
  }

  stats(): SinkStats {
    return this.#delivery.stats();
  }
}

import type { VespidEvent } from '../event.js';
import type { Sink, SinkStats } from './sink.js';

/** One event to every sink. Each has its own queue: a slow or broken one does not hold up the others. */
export class FanOut implements Sink {
  readonly name = 'fan-out';
  readonly sinks: readonly Sink[];

  constructor(sinks: readonly Sink[]) {
    this.sinks = sinks;
  }

  write(events: readonly VespidEvent[]): void {
    for (const sink of this.sinks) sink.write(events);
  }

  async flush(timeoutMs: number): Promise<void> {
    await Promise.all(this.sinks.map((sink) => sink.flush(timeoutMs)));
  }

  /** Closes every sink, also when one of them fails to close; then rejects with the first failure. */
  async close(): Promise<void> {
    const results = await Promise.allSettled(this.sinks.map((sink) => sink.close()));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  /** Sums over all sinks. */
  stats(): SinkStats {
    const total = { accepted: 0, delivered: 0, retried: 0, dropped: 0, pending: 0 };
    for (const sink of this.sinks) {
      const stats = sink.stats();
      total.accepted += stats.accepted;
      total.delivered += stats.delivered;
      total.retried += stats.retried;
      total.dropped += stats.dropped;
      total.pending += stats.pending;
    }
    return total;
  }
}

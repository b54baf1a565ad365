import { describe, expect, it } from 'vitest';
import { FanOut, type Sink, type VespidEvent } from '../../../engine/events/index.js';
import { sampleEvents } from '../sample-events.js';

class MemorySink implements Sink {
  readonly name = 'memory';
  readonly events: VespidEvent[] = [];
  closed = false;
  flushed: number | undefined;

  write(events: readonly VespidEvent[]): void {
    this.events.push(...events);
  }
  async flush(timeoutMs: number): Promise<void> {
    this.flushed = timeoutMs;
  }
  async close(): Promise<void> {
    this.closed = true;
  }
  stats() {
    return { accepted: this.events.length, delivered: 1, retried: 2, dropped: 3, pending: 4 };
  }
}

class StuckSink extends MemorySink {
  override async close(): Promise<void> {
    throw new Error('stuck');
  }
}

describe('FanOut', () => {
  it('gives every event to every sink', async () => {
    const events = sampleEvents(3);
    const sinks = [new MemorySink(), new MemorySink()];
    const fanOut = new FanOut(sinks);
    fanOut.write(events);
    await fanOut.flush(7);
    for (const sink of sinks) {
      expect(sink.events).toEqual(events);
      expect(sink.flushed).toBe(7);
    }
    expect(fanOut.stats()).toEqual({ accepted: 6, delivered: 2, retried: 4, dropped: 6, pending: 8 });
  });

  it('closes the others when one does not close', async () => {
    const last = new MemorySink();
    await expect(new FanOut([new StuckSink(), last]).close()).rejects.toThrow('stuck');
    expect(last.closed).toBe(true);
  });
});

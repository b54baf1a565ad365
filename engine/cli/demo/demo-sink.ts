import type { Sink, VespidEvent } from '../../events/index.js';

/** Keeps the events and hands each to a printer as it comes. */
export class DemoSink implements Sink {
  readonly name = 'terminal';
  readonly events: VespidEvent[] = [];

  constructor(private readonly onEvent: (event: VespidEvent) => void) {}

  write(events: readonly VespidEvent[]): void {
    for (const event of events) {
      this.events.push(event);
      this.onEvent(event);
    }
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  stats() {
    const { length } = this.events;
    return { accepted: length, delivered: length, retried: 0, dropped: 0, pending: 0 };
  }
}

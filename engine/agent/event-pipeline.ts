import { VespidError } from '../errors/index.js';
import {
  buildEvent,
  decodeRecord,
  type EventContext,
  type Sink,
  type Verdict,
  type VespidEvent,
} from '../events/index.js';

/** How many events went through, and what was lost here. */
export interface PipelineCounts {
  readonly events: number;
  readonly byVerdict: Readonly<Record<Verdict, number>>;
  /** Records that could not be made into events. */
  readonly undecodable: number;
}

/** From a record in the ring buffer to the sinks, in batches of one turn of the event loop. */
export class EventPipeline {
  #batch: VespidEvent[] = [];
  #flushIsPlanned = false;
  #events = 0;
  #undecodable = 0;
  readonly #byVerdict = { audited: 0, denied: 0, killed: 0 };

  constructor(
    private readonly context: EventContext,
    private readonly sink: Sink,
    /** Called for the first record that cannot be decoded, not for each. */
    private readonly onFault: (error: VespidError) => void,
  ) {}

  /** Takes one record; the bytes are not used after the call. */
  accept(record: Uint8Array): void {
    let event: VespidEvent;
    try {
      event = buildEvent(decodeRecord(record), this.context);
    } catch (error) {
      if (!(error instanceof VespidError)) throw error;
      if (this.#undecodable++ === 0) this.onFault(error);
      return;
    }
    this.#events++;
    this.#byVerdict[event.verdict]++;
    this.#batch.push(event);
    this.#planFlush();
  }

  /** Hands what is collected to the sinks now. */
  flush(): void {
    if (this.#batch.length === 0) return;
    const batch = this.#batch;
    this.#batch = [];
    this.sink.write(batch);
  }

  counts(): PipelineCounts {
    return { events: this.#events, byVerdict: { ...this.#byVerdict }, undecodable: this.#undecodable };
  }

  #planFlush(): void {
    if (this.#flushIsPlanned) return;
    this.#flushIsPlanned = true;
    setImmediate(() => {
      this.#flushIsPlanned = false;
      this.flush();
    });
  }
}

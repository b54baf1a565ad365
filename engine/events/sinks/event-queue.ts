import type { VespidEvent } from '../event.js';

/** An event as it travels: its JSON on one line. */
export interface EncodedEvent {
  readonly id: string;
  readonly json: string;
  readonly byteLength: number;
}

export interface BatchLimit {
  readonly events: number;
  readonly bytes: number;
}

export function encodeEvent(event: VespidEvent): EncodedEvent {
  const json = JSON.stringify(event);
  return { id: event.id, json, byteLength: Buffer.byteLength(json) };
}

/** First in, first out, up to a limit of bytes. */
export class EventQueue {
  readonly #limitBytes: number;
  #events: EncodedEvent[] = [];
  /** Index of the oldest event; those before it are taken. */
  #head = 0;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get length(): number {
    return this.#events.length - this.#head;
  }

  /** False if the event does not fit; an empty queue takes any event. */
  push(event: EncodedEvent): boolean {
    if (this.length > 0 && this.#bytes + event.byteLength > this.#limitBytes) return false;
    this.#events.push(event);
    this.#bytes += event.byteLength;
    return true;
  }

  /** Takes the oldest events within the limit, at least one if there is one. */
  take(limit: BatchLimit): EncodedEvent[] {
    let end = this.#head;
    let bytes = 0;
    while (end < this.#events.length && end - this.#head < limit.events) {
      bytes += this.#events[end]?.byteLength ?? 0;
      if (bytes > limit.bytes && end > this.#head) break;
      end++;
    }
    const batch = this.#events.slice(this.#head, end);
    for (const event of batch) this.#bytes -= event.byteLength;
    this.#head = end;
    this.#dropTaken();
    return batch;
  }

  /** Empties the queue and gives how many events it held. */
  clear(): number {
    const count = this.length;
    this.#events = [];
    this.#head = 0;
    this.#bytes = 0;
    return count;
  }

  /** Moves the rest to the front once it is the smaller half: constant cost for each event. */
  #dropTaken(): void {
    if (this.#head * 2 < this.#events.length) return;
    this.#events = this.#events.slice(this.#head);
    this.#head = 0;
  }
}

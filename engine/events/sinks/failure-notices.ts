import { VespidError } from '../../errors/index.js';
import type { SinkNotice } from './sink.js';

/** While the reason stays the same, it is repeated this often. */
const REMINDER_MS = 60_000;
/** A new reason, or the same one after a recovery, waits this long after the last notice. */
const CHANGE_MS = 5_000;

/** Turns failures, which may come many times a second, into a few notices. */
export class FailureNotices {
  readonly #sink: string;
  readonly #notify: (notice: SinkNotice) => void;
  readonly #now: () => number;
  #failingSince: number | undefined;
  #announced: { readonly code: string; readonly at: number } | undefined;
  #recovered = true;
  readonly #lastLossAt = new Map<string, number>();

  constructor(sink: string, notify: (notice: SinkNotice) => void, now: () => number = Date.now) {
    this.#sink = sink;
    this.#notify = notify;
    this.#now = now;
  }

  /** A delivery failed and will be tried again. */
  failed(error: VespidError, pending: number): void {
    const now = this.#now();
    this.#failingSince ??= now;
    if (this.#announced !== undefined) {
      const same = !this.#recovered && this.#announced.code === error.code;
      if (now - this.#announced.at < (same ? REMINDER_MS : CHANGE_MS)) return;
    }
    this.#announced = { code: error.code, at: now };
    this.#recovered = false;
    this.#send('warn', error, `${error.message}; ${count(pending)} waiting, trying again until it works`);
  }

  /** A delivery worked. */
  succeeded(pending: number): void {
    const since = this.#failingSince;
    this.#failingSince = undefined;
    if (since === undefined || this.#recovered) return;
    this.#recovered = true;
    const seconds = Math.round((this.#now() - since) / 1000);
    const message = `delivering again after ${seconds} s; ${count(pending)} still waiting`;
    this.#notify({ sink: this.#sink, level: 'info', message });
  }

  /** Events are lost, `total` of them so far. */
  lost(error: VespidError, total: number): void {
    const now = this.#now();
    if (now - (this.#lastLossAt.get(error.code) ?? Number.NEGATIVE_INFINITY) < REMINDER_MS) return;
    this.#lastLossAt.set(error.code, now);
    this.#send('error', error, `${error.message}; ${count(total)} lost so far`);
  }

  /** The sink closed with events that it could not deliver. Never held back. */
  closedWith(undelivered: number, lastError: VespidError | undefined): void {
    const reason = lastError === undefined ? '' : `: ${lastError.message}`;
    const error = new VespidError(
      'SINK_UNDELIVERED',
      `closed with ${count(undelivered)} undelivered${reason}`,
    );
    this.#send('error', error, error.message);
  }

  #send(level: SinkNotice['level'], error: VespidError, message: string): void {
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    this.#notify({ sink: this.#sink, level, message, code: error.code, ...hint });
  }
}

function count(events: number): string {
  return events === 1 ? '1 event' : `${events} events`;
}

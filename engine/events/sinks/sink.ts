import type { ErrorCode } from '../../errors/index.js';
import type { VespidEvent } from '../event.js';

/** A place that events are delivered to, in the order in which they were written. */
export interface Sink {
  /** As given on the command line: `kafka:127.0.0.1:9092/events`. */
  readonly name: string;
  /** Takes the events over. Never throws and never waits; what cannot be taken is counted as dropped. */
  write(events: readonly VespidEvent[]): void;
  /** Resolves when everything taken so far is delivered or given up, at the latest after `timeoutMs`. */
  flush(timeoutMs: number): Promise<void>;
  /** Gives up what is not delivered, counts and reports it, and releases the sink. Call `flush` before. */
  close(): Promise<void>;
  stats(): SinkStats;
  /**
   * Waits for the first connection. The sink goes on trying whatever the outcome is.
   *
   * @throws VespidError the reason why there is no connection
   */
  connectOrExplain?(timeoutMs: number): Promise<void>;
}

/** Counts since the sink was opened. accepted = delivered + pending + what was dropped after it was accepted. */
export interface SinkStats {
  readonly accepted: number;
  readonly delivered: number;
  /** Deliveries of a batch that were tried again. */
  readonly retried: number;
  /** Not delivered and never will be: refused by a full queue, too large, or given up when the sink closed. */
  readonly dropped: number;
  readonly pending: number;
}

/** News for the operator. Rate limited by the sink, so each may be shown as it is. */
export interface SinkNotice {
  readonly sink: string;
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly code?: ErrorCode;
  readonly hint?: string;
}

/** A line of the Kafka client's own log. */
export interface ClientLogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
}

/** What every sink needs from the process that opens it. */
export interface SinkContext {
  /** The key of every Kafka message: events of a host stay in order. */
  readonly hostId: string;
  readonly onNotice: (notice: SinkNotice) => void;
  /** Default: the Kafka client's log is discarded. */
  readonly onClientLog?: (entry: ClientLogEntry) => void;
}

import { lookup } from 'node:dns/promises';
import type { Message } from 'kafkajs';
import type { VespidError } from '../../errors/index.js';
import { EVENT_SCHEMA, type VespidEvent } from '../event.js';
import { type Backoff, Delivery } from './delivery.js';
import type { EncodedEvent } from './event-queue.js';
import { explainKafkaError, isTooLarge, type KafkaTarget, kafkaTimeout } from './explain-kafka-error.js';
import { KafkaClient } from './kafka-client.js';
import { brokerText } from './parse-sink.js';
import type { ClientLogEntry, Sink, SinkNotice, SinkStats } from './sink.js';

/** What waits in memory while the broker is away: some 200,000 events of usual size. */
const QUEUE_LIMIT_BYTES = 256 * 2 ** 20;
/** Half of the broker's default for message.max.bytes (1 MiB), which counts the whole batch with its headers. */
const BATCH_LIMIT = { events: 1_000, bytes: 512 * 2 ** 10 };
const BACKOFF: Backoff = { initialMs: 250, maxMs: 10_000 };

export interface KafkaSinkOptions extends KafkaTarget {
  /** The key of every message. */
  readonly hostId: string;
  readonly onNotice: (notice: SinkNotice) => void;
  readonly onClientLog?: (entry: ClientLogEntry) => void;
  readonly queueLimitBytes?: number;
  readonly backoff?: Backoff;
}

/**
 * Events into a Kafka topic, at least once and in order. Consumers remove repetitions by the event id, also in the
 * header `vespid-event-id`.
 *
 * It does not use Kafka's idempotent producer: kafkajs gives a sequence number of a failed batch to the next one,
 * and a broker that did store the failed batch then takes the next for a repetition and loses it without an error.
 * One batch at a time, repeated until it is acknowledged, keeps the order and loses nothing.
 */
export class KafkaSink implements Sink {
  readonly name: string;
  readonly #options: KafkaSinkOptions;
  readonly #client: KafkaClient;
  readonly #delivery: Delivery;

  constructor(options: KafkaSinkOptions) {
    this.name = `kafka:${options.brokers.map(brokerText).join(',')}/${options.topic}`;
    this.#options = options;
    this.#client = new KafkaClient(options, options.onClientLog ?? discardLog);
    this.#delivery = new Delivery({
      sink: this.name,
      queueLimitBytes: options.queueLimitBytes ?? QUEUE_LIMIT_BYTES,
      batchLimit: BATCH_LIMIT,
      backoff: options.backoff ?? BACKOFF,
      deliver: (batch, signal) => this.#deliver(batch, signal),
      explain: (error) => explainKafkaError(error, options),
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
    this.#client.close();
  }

  stats(): SinkStats {
    return this.#delivery.stats();
  }

  /** @throws VespidError KAFKA_ADDRESS_UNRESOLVED, KAFKA_UNREACHABLE, KAFKA_REFUSED */
  async connectOrExplain(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<VespidError>((resolve) => {
      timer = setTimeout(() => resolve(kafkaTimeout(this.#options, timeoutMs)), timeoutMs);
    });
    const failure = await Promise.race([timeout, this.#connectFailure()]);
    clearTimeout(timer);
    if (failure !== undefined) throw failure;
  }

  async #connectFailure(): Promise<VespidError | undefined> {
    try {
      await this.#resolveSomeBroker();
      await this.#client.connect();
      return undefined;
    } catch (error) {
      return explainKafkaError(error, this.#options);
    }
  }

  /** Asks the resolver first: it says at once what kafkajs would say after its retries. */
  async #resolveSomeBroker(): Promise<void> {
    const answers = await Promise.allSettled(this.#options.brokers.map(({ host }) => lookup(host)));
    if (answers.some(({ status }) => status === 'fulfilled')) return;
    for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
  }

  async #deliver(batch: readonly EncodedEvent[], signal: AbortSignal): Promise<number> {
    const stop = () => this.#client.close();
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await this.#sendInParts(batch);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** Halves a batch that the broker refuses for its size, down to the event at fault. */
  async #sendInParts(batch: readonly EncodedEvent[]): Promise<number> {
    try {
      await this.#client.send(batch.map((event) => this.#message(event)));
      return batch.length;
    } catch (error) {
      if (!isTooLarge(error)) throw error;
    }
    if (batch.length === 1) return 0;
    const half = Math.ceil(batch.length / 2);
    const first = await this.#sendInParts(batch.slice(0, half));
    return first + (await this.#sendInParts(batch.slice(half)));
  }

  #message(event: EncodedEvent): Message {
    return {
      key: this.#options.hostId,
      value: event.json,
      headers: { 'vespid-event-id': event.id, 'vespid-schema': EVENT_SCHEMA },
    };
  }
}

function discardLog(): void {}

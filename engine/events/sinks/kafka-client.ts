import type { Message } from 'kafkajs';
import type { KafkaTarget } from './explain-kafka-error.js';
import { KafkaSession } from './kafka-session.js';
import type { ClientLogEntry } from './sink.js';

/** A producer that starts afresh after each failure. */
export class KafkaClient {
  readonly #target: KafkaTarget;
  readonly #log: (entry: ClientLogEntry) => void;
  #session: KafkaSession | undefined;
  #closed = false;

  constructor(target: KafkaTarget, log: (entry: ClientLogEntry) => void) {
    this.#target = target;
    this.#log = log;
  }

  /** @throws Error of kafkajs */
  connect(): Promise<void> {
    return this.#use((session) => session.connected());
  }

  /** Resolves when all in-sync replicas have the messages. @throws Error of kafkajs */
  send(messages: Message[]): Promise<void> {
    return this.#use((session) => session.send(messages));
  }

  /** Calls under way reject at once. */
  close(): void {
    this.#closed = true;
    this.#session?.end();
  }

  async #use(call: (session: KafkaSession) => Promise<void>): Promise<void> {
    if (this.#closed) throw new Error('the Kafka client is closed');
    this.#session ??= new KafkaSession(this.#target, this.#log);
    const session = this.#session;
    try {
      await call(session);
    } catch (error) {
      session.end();
      if (this.#session === session) this.#session = undefined;
      throw error;
    }
  }
}

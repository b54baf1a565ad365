import { connect as connectSocket, type Socket } from 'node:net';
import kafkajs, { type LogEntry, type Message, type Producer } from 'kafkajs';
import type { KafkaTarget } from './explain-kafka-error.js';
import type { KafkaBroker } from './parse-sink.js';
import type { ClientLogEntry } from './sink.js';

/** Enough for a distant broker under load, short enough to go on to the next one. */
const CONNECT_TIMEOUT_MS = 5_000;
/** The broker has this long to write a batch to all replicas. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Retries within one call: they cover a topic that is just being created and each address of the list. */
const RETRIES = 4;
const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, multiplier: 2, factor: 0.2 };
const KEEP_ALIVE_DELAY_MS = 60_000;
/** Acknowledged by all in-sync replicas. */
const ACKS_ALL = -1;

/**
 * One life of kafkajs's producer: made, used, and thrown away after a failure, because kafkajs keeps addresses and
 * connections that outlive the broker. The sockets are opened here, because kafkajs's `disconnect` waits for
 * answers that may never come.
 */
export class KafkaSession {
  readonly #topic: string;
  readonly #producer: Producer;
  readonly #connected: Promise<void>;
  readonly #sockets = new Set<Socket>();
  #ended = false;

  constructor(target: KafkaTarget, log: (entry: ClientLogEntry) => void) {
    this.#topic = target.topic;
    this.#producer = this.#createProducer(target.brokers, log);
    this.#connected = this.#producer.connect();
    // Whoever waits sees the reason; nobody may be waiting.
    this.#connected.catch(ignore);
  }

  /** @throws Error of kafkajs */
  connected(): Promise<void> {
    return this.#connected;
  }

  /** Resolves when all in-sync replicas have the messages. @throws Error of kafkajs */
  async send(messages: Message[]): Promise<void> {
    await this.#connected;
    await this.#producer.send({ topic: this.#topic, acks: ACKS_ALL, timeout: REQUEST_TIMEOUT_MS, messages });
  }

  /** Ends it at once; calls under way reject. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const socket of this.#sockets) socket.destroy(new Error('the connection is given up'));
    this.#producer.disconnect().catch(ignore);
  }

  #openSocket(host: string, port: number, onConnect: () => void): Socket {
    if (this.#ended) throw new Error('the connection is given up');
    const socket = connectSocket({ host, port }, onConnect);
    socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }

  #createProducer(brokers: readonly KafkaBroker[], log: (entry: ClientLogEntry) => void): Producer {
    const { names, addresses } = seedNames(brokers);
    const client = new kafkajs.Kafka({
      clientId: 'vespid',
      brokers: names,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      retry: { ...RETRY, retries: Math.max(RETRIES, names.length) },
      socketFactory: ({ host, port, onConnect }) =>
        this.#openSocket(addresses.get(host) ?? host, port, onConnect),
      logLevel: kafkajs.logLevel.INFO,
      logCreator: () => (entry) => log(clientLogEntry(entry)),
    });
    return client.producer({
      allowAutoTopicCreation: true,
      // One request at a time: with more, a retry could overtake.
      maxInFlightRequests: 1,
      // The Java client's way from key to partition, so that other producers agree with us.
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
  }
}

/** kafkajs cuts `host:port` at the first colon, so an IPv6 address goes in under a name that stands for it. */
function seedNames(brokers: readonly KafkaBroker[]): { names: string[]; addresses: Map<string, string> } {
  const addresses = new Map<string, string>();
  const names = brokers.map(({ host, port }, index) => {
    if (!host.includes(':')) return `${host}:${port}`;
    const name = `ipv6-seed-${index}.invalid`;
    addresses.set(name, host);
    return `${name}:${port}`;
  });
  return { names, addresses };
}

function clientLogEntry({ level, log }: LogEntry): ClientLogEntry {
  const { ERROR, WARN, INFO } = kafkajs.logLevel;
  if (level <= ERROR) return { level: 'error', message: log.message };
  if (level <= WARN) return { level: 'warn', message: log.message };
  return { level: level <= INFO ? 'info' : 'debug', message: log.message };
}

function ignore(): void {}

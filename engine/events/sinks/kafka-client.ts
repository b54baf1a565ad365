import { connect as connectSocket, type Socket } from 'node:net';
import kafkajs, { type LogEntry, type Message, type Producer } from 'kafkajs';
import type { KafkaTarget } from './explain-kafka-error.js';
import type { KafkaBroker } from './parse-sink.js';
import type { ClientLogEntry } from './sink.js';

/** Enough for a distant broker under load, short enough to go on to the next one. */
const CONNECT_TIMEOUT_MS = 5_000;
/** The broker has this long to write a batch to all replicas. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Attempts within one call: they cover a topic that is just being created and each address of the list. */
const ATTEMPTS = 4;
const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, multiplier: 2, factor: 0.2 };
const KEEP_ALIVE_DELAY_MS = 60_000;

/** Acknowledged by all in-sync replicas. */
const ACKS_ALL = -1;

/** One life of kafkajs's producer with the sockets that it opened. */
interface Session {
  readonly producer: Producer;
  readonly sockets: Set<Socket>;
  readonly connected: Promise<void>;
  ended: boolean;
}

/**
 * kafkajs behind two calls. After a failure the caller discards the session and the next call starts a new one:
 * kafkajs keeps broker addresses and connections that outlive the broker. Its own sockets are ours, because its
 * `disconnect` waits for answers that may never come.
 */
export class KafkaClient {
  readonly #target: KafkaTarget;
  readonly #log: (entry: ClientLogEntry) => void;
  #session: Session | undefined;
  #closed = false;

  constructor(target: KafkaTarget, log: (entry: ClientLogEntry) => void) {
    this.#target = target;
    this.#log = log;
  }

  /** @throws Error of kafkajs */
  async connect(): Promise<void> {
    this.#session ??= this.#startSession();
    await this.#session.connected;
  }

  /** Resolves when all in-sync replicas have the messages. @throws Error of kafkajs */
  async send(messages: Message[]): Promise<void> {
    this.#session ??= this.#startSession();
    await this.#session.connected;
    await this.#session.producer.send({
      topic: this.#target.topic,
      acks: ACKS_ALL,
      timeout: REQUEST_TIMEOUT_MS,
      messages,
    });
  }

  /** Ends the session at once; calls under way reject. */
  discard(): void {
    const session = this.#session;
    if (session === undefined) return;
    this.#session = undefined;
    session.ended = true;
    for (const socket of session.sockets) socket.destroy(new Error('the connection is given up'));
    session.producer.disconnect().catch(ignore);
  }

  close(): void {
    this.#closed = true;
    this.discard();
  }

  #startSession(): Session {
    const sockets = new Set<Socket>();
    const open = (host: string, port: number, onConnect: () => void): Socket => {
      if (this.#closed || session.ended) throw new Error('the connection is given up');
      const socket = connectSocket({ host, port }, onConnect);
      socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      return socket;
    };
    const producer = this.#createProducer(open);
    const started = Promise.withResolvers<void>();
    const session: Session = { producer, sockets, connected: started.promise, ended: false };
    // Whoever waits for the session sees the reason; nobody may be waiting.
    started.promise.catch(ignore);
    producer.connect().then(started.resolve, started.reject);
    return session;
  }

  #createProducer(open: (host: string, port: number, onConnect: () => void) => Socket): Producer {
    const { names, addresses } = seedNames(this.#target.brokers);
    const client = new kafkajs.Kafka({
      clientId: 'vespid',
      brokers: names,
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      retry: { ...RETRY, retries: Math.max(ATTEMPTS, names.length) },
      socketFactory: ({ host, port, onConnect }) => open(addresses.get(host) ?? host, port, onConnect),
      logLevel: kafkajs.logLevel.INFO,
      logCreator: () => (entry) => this.#log(clientLogEntry(entry)),
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
  const { logLevel } = kafkajs;
  const name =
    level <= logLevel.ERROR
      ? 'error'
      : level <= logLevel.WARN
        ? 'warn'
        : level <= logLevel.INFO
          ? 'info'
          : 'debug';
  return { level: name, message: log.message };
}

function ignore(): void {}

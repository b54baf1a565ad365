import { VespidError } from '../../errors/index.js';
import { brokerText, type KafkaBroker } from './parse-sink.js';

/** Where a Kafka sink is to deliver. */
export interface KafkaTarget {
  readonly brokers: readonly KafkaBroker[];
  readonly topic: string;
}

/** The parts of kafkajs's errors that say what happened; its classes carry them in different combinations. */
interface ErrorFacts {
  readonly message: string;
  /** Errno of a socket or resolver error. */
  readonly errno: string | undefined;
  /** Name of a Kafka protocol error. */
  readonly protocolError: string | undefined;
  /** `host:port` that the client tried. */
  readonly broker: string | undefined;
}

const UNRESOLVED = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_NONAME', 'EAI_FAIL']);
const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']);
const MISSING_TOPIC = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'TOPIC_AUTHORIZATION_FAILED']);

/** The broker refuses the batch for its size. */
export function isTooLarge(error: unknown): boolean {
  const { protocolError } = factsOf(error);
  return protocolError !== undefined && TOO_LARGE.has(protocolError);
}

/** A typed error that says which address or topic is at fault and what to do. */
export function explainKafkaError(error: unknown, target: KafkaTarget): VespidError {
  if (error instanceof VespidError) return error;
  const facts = factsOf(error);
  if (facts.errno !== undefined && UNRESOLVED.has(facts.errno)) return unresolved(facts, target, error);
  if (facts.protocolError !== undefined) return refusal(facts.protocolError, facts, target, error);
  const where = facts.broker ?? target.brokers.map(brokerText).join(', ');
  return new VespidError('KAFKA_UNREACHABLE', `Kafka broker ${where} does not answer: ${facts.message}`, {
    cause: error,
    hint: 'check that the broker runs, listens on that address without TLS, and is reachable from here',
  });
}

/** No broker address at all leads to a broker. */
export function kafkaTimeout(target: KafkaTarget, timeoutMs: number): VespidError {
  const where = target.brokers.map(brokerText).join(', ');
  return new VespidError('KAFKA_UNREACHABLE', `Kafka broker ${where} did not answer within ${timeoutMs} ms`, {
    hint: 'check that what listens there is a Kafka broker without TLS',
  });
}

function unresolved(facts: ErrorFacts, target: KafkaTarget, cause: unknown): VespidError {
  const own = target.brokers.map(({ host, port }) => `${host}:${port}`);
  if (facts.broker === undefined || own.includes(facts.broker)) {
    const where = facts.broker ?? target.brokers.map(brokerText).join(', ');
    return new VespidError(
      'KAFKA_ADDRESS_UNRESOLVED',
      `the name in the Kafka address ${where} does not resolve`,
      {
        cause,
        hint: 'check the spelling and the name servers of this host',
      },
    );
  }
  return new VespidError(
    'KAFKA_ADDRESS_UNRESOLVED',
    `the Kafka broker says that it is at ${facts.broker}, a name that does not resolve here`,
    {
      cause,
      hint: "set advertised.listeners in the broker's configuration to an address that clients can use",
    },
  );
}

function refusal(protocolError: string, facts: ErrorFacts, target: KafkaTarget, cause: unknown): VespidError {
  if (MISSING_TOPIC.has(protocolError)) {
    return new VespidError(
      'KAFKA_TOPIC_UNAVAILABLE',
      `Kafka does not let us write to the topic "${target.topic}": ${protocolError}`,
      {
        cause,
        hint: `create the topic (kafka-topics.sh --create --topic ${target.topic}) and permit writing to it`,
      },
    );
  }
  return new VespidError('KAFKA_REFUSED', `Kafka refused the events: ${protocolError}: ${facts.message}`, {
    cause,
    hint: "the broker's log says more",
  });
}

/** Collects the facts along the chain of causes; the innermost message is the most precise one. */
function factsOf(error: unknown): ErrorFacts {
  let facts: ErrorFacts = {
    message: String(error),
    errno: undefined,
    protocolError: undefined,
    broker: undefined,
  };
  const seen = new Set<unknown>();
  for (let at = error; at instanceof Error && !seen.has(at); at = at.cause) {
    seen.add(at);
    facts = {
      message: at.message,
      errno: textProperty(at, 'code') ?? facts.errno,
      protocolError: textProperty(at, 'type') ?? facts.protocolError,
      broker: textProperty(at, 'broker') ?? facts.broker,
    };
  }
  return facts;
}

function textProperty(error: Error, name: string): string | undefined {
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' ? value : undefined;
}

import kafkajs from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { explainKafkaError, isTooLarge } from '../../../engine/events/sinks/explain-kafka-error.js';

const TARGET = { brokers: [{ host: 'kafka-0', port: 9092 }], topic: 'events' };
const { KafkaJSConnectionError, KafkaJSNumberOfRetriesExceeded, KafkaJSProtocolError } = kafkajs;

function connectionError(code: string, broker = 'kafka-0:9092'): Error {
  return new KafkaJSConnectionError(`Connection error: ${code}`, { broker, code });
}

function protocolError(type: string): Error {
  // The constructor reads `type`, which the type of its parameter does not declare.
  return new KafkaJSProtocolError(
    Object.assign(new Error('it says no'), { type, code: 1, retriable: false }),
  );
}

function afterRetries(cause: Error): Error {
  return new KafkaJSNumberOfRetriesExceeded(cause, { retryCount: 4, retryTime: 100 });
}

describe('explainKafkaError', () => {
  it.each([
    [
      'a name that does not resolve',
      connectionError('ENOTFOUND'),
      'KAFKA_ADDRESS_UNRESOLVED',
      /the Kafka address kafka-0:9092 does not resolve/,
    ],
    [
      'the same after retries',
      afterRetries(connectionError('EAI_AGAIN')),
      'KAFKA_ADDRESS_UNRESOLVED',
      /kafka-0:9092/,
    ],
    [
      'a resolver error of our own',
      Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }),
      'KAFKA_ADDRESS_UNRESOLVED',
      /kafka-0:9092/,
    ],
    [
      'a name that the broker gives',
      connectionError('ENOTFOUND', 'inside:9092'),
      'KAFKA_ADDRESS_UNRESOLVED',
      /broker says that it is at inside:9092/,
    ],
    [
      'nobody listening',
      afterRetries(connectionError('ECONNREFUSED')),
      'KAFKA_UNREACHABLE',
      /kafka-0:9092 does not answer: .*ECONNREFUSED/,
    ],
    [
      'a missing topic',
      afterRetries(protocolError('UNKNOWN_TOPIC_OR_PARTITION')),
      'KAFKA_TOPIC_UNAVAILABLE',
      /"events"/,
    ],
    [
      'a topic that may not be written to',
      protocolError('TOPIC_AUTHORIZATION_FAILED'),
      'KAFKA_TOPIC_UNAVAILABLE',
      /AUTHORIZATION/,
    ],
    [
      'another refusal',
      protocolError('NOT_ENOUGH_REPLICAS'),
      'KAFKA_REFUSED',
      /NOT_ENOUGH_REPLICAS: it says no/,
    ],
    ['something that is no error', 'odd', 'KAFKA_UNREACHABLE', /odd/],
  ])('%s', (_, error, code, message) => {
    const explained = explainKafkaError(error, TARGET);
    expect(explained.code).toBe(code);
    expect(explained.message).toMatch(message);
    expect(explained.hint).toBeTruthy();
  });

  it('ends on a chain of causes that is a ring', () => {
    const error = new Error('ring');
    error.cause = error;
    expect(explainKafkaError(error, TARGET).code).toBe('KAFKA_UNREACHABLE');
  });

  it('knows a refusal for size', () => {
    expect(isTooLarge(afterRetries(protocolError('MESSAGE_TOO_LARGE')))).toBe(true);
    expect(isTooLarge(protocolError('NOT_ENOUGH_REPLICAS'))).toBe(false);
  });
});

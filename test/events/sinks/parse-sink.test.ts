import { describe, expect, it } from 'vitest';
import { brokerText, parseSink } from '../../../engine/events/index.js';

const kafka = (topic: string, ...brokers: { host: string; port: number }[]) => ({
  kind: 'kafka',
  brokers,
  topic,
});

describe('parseSink', () => {
  it.each([
    ['stdout', { kind: 'stdout' }],
    ['jsonl:events.jsonl', { kind: 'jsonl', path: 'events.jsonl' }],
    ['jsonl:/var/log/a:b c.jsonl', { kind: 'jsonl', path: '/var/log/a:b c.jsonl' }],
    ['kafka:127.0.0.1:9092/events', kafka('events', { host: '127.0.0.1', port: 9092 })],
    ['kafka:kafka-0.kafka_net:1/a.b-c_D', kafka('a.b-c_D', { host: 'kafka-0.kafka_net', port: 1 })],
    ['kafka:[::1]:9092/t', kafka('t', { host: '::1', port: 9092 })],
    [
      'kafka:a:65535,[fe80::1]:2,c:3/t',
      kafka('t', { host: 'a', port: 65_535 }, { host: 'fe80::1', port: 2 }, { host: 'c', port: 3 }),
    ],
  ])('%s', (text, spec) => {
    expect(parseSink(text)).toEqual(spec);
  });

  it.each([
    '',
    'stdout:',
    'stderr',
    'jsonl',
    'jsonl:',
    'jsonl:a\0b',
    'kafka:',
    'kafka:localhost:9092',
    'kafka:localhost:9092/',
    'kafka:localhost/topic',
    'kafka::9092/topic',
    'kafka:localhost:0/topic',
    'kafka:localhost:65536/topic',
    'kafka:localhost:9o92/topic',
    'kafka:localhost: 9092/topic',
    'kafka:a:1,,b:2/topic',
    'kafka:::1:9092/topic',
    'kafka:[::1/topic',
    'kafka:[nohost]:9092/topic',
    'kafka:user@host:9092/topic',
    'kafka:a:1/..',
    'kafka:a:1/to pic',
    'kafka:a:1/a/b',
    `kafka:a:1/${'t'.repeat(250)}`,
  ])('refuses %j', (text) => {
    expect(() => parseSink(text)).toThrow(
      expect.objectContaining({ code: 'SINK_SPEC_INVALID', exitCode: 2 }),
    );
  });

  it('writes a broker as it was given', () => {
    expect(brokerText({ host: '::1', port: 9092 })).toBe('[::1]:9092');
    expect(brokerText({ host: 'kafka-0', port: 9092 })).toBe('kafka-0:9092');
  });
});

import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KafkaBroker as BrokerAddress, ClientLogEntry, VespidEvent } from '../../engine/events/index.js';
import { KafkaSink, type KafkaSinkOptions } from '../../engine/events/sinks/kafka-sink.js';
import { HOST, sampleEvents } from '../events/sample-events.js';
import { CollectedNotices } from '../events/sinks/collected-notices.js';
import { freePorts } from './free-ports.js';
import { KafkaBroker } from './kafka-broker.js';
import { LoopbackProxy } from './loopback-proxy.js';
import { distinctIds, readTopic, schemaErrorsOf } from './read-topic.js';

const FLUSH_TIMEOUT_MS = 60_000;

let broker: KafkaBroker;
let collected: CollectedNotices;
let clientLog: ClientLogEntry[];
const sinks: KafkaSink[] = [];
const output = vi.spyOn(console, 'error');

beforeAll(async () => {
  broker = await KafkaBroker.create();
});
afterAll(() => broker.remove());
beforeEach(() => {
  collected = new CollectedNotices();
  clientLog = [];
});
afterEach(async () => {
  for (const sink of sinks.splice(0)) await sink.close();
});

function sinkTo(topic: string, address: BrokerAddress, options: Partial<KafkaSinkOptions> = {}): KafkaSink {
  const sink = new KafkaSink({
    brokers: [address],
    topic,
    hostId: HOST.id,
    onNotice: collected.onNotice,
    onClientLog: (entry) => clientLog.push(entry),
    backoff: { initialMs: 100, maxMs: 500 },
    ...options,
  });
  sinks.push(sink);
  return sink;
}

const ourBroker = (): BrokerAddress => ({ host: '127.0.0.1', port: broker.port });
const idsOf = (events: readonly VespidEvent[]) => events.map(({ id }) => id);

async function createTopic(topic: string, maxMessageBytes = 1_000_000): Promise<void> {
  const client = new kafkajs.Kafka({ brokers: [broker.address], logLevel: kafkajs.logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  const configEntries = [{ name: 'max.message.bytes', value: String(maxMessageBytes) }];
  await admin.createTopics({ topics: [{ topic, configEntries }], waitForLeaders: true });
  await admin.disconnect();
}

async function elapsedMs(work: Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work;
  return performance.now() - start;
}

describe('without a broker', () => {
  it('says at once that a name does not resolve, and goes on trying', async () => {
    const sink = sinkTo('events', { host: 'no-such-broker.invalid', port: 9092 });
    sink.write(sampleEvents(3));
    await expect(sink.connectOrExplain(5_000)).rejects.toMatchObject({
      code: 'KAFKA_ADDRESS_UNRESOLVED',
      message: expect.stringContaining('no-such-broker.invalid:9092'),
      hint: expect.stringContaining('spelling'),
    });
    await vi.waitFor(() => expect(collected.codes).toEqual(['KAFKA_ADDRESS_UNRESOLVED']), 10_000);
    expect(sink.stats()).toMatchObject({ accepted: 3, pending: 3, dropped: 0 });
  });

  it('ends by its deadline and reports what it could not deliver', async () => {
    const [port = 0] = await freePorts(1);
    const sink = sinkTo('events', { host: '127.0.0.1', port });
    sink.write(sampleEvents(7));
    expect(await elapsedMs(sink.flush(300))).toBeLessThan(1_500);
    expect(sink.stats()).toMatchObject({ pending: 7, dropped: 0 });
    expect(await elapsedMs(sink.close())).toBeLessThan(1_500);
    expect(sink.stats()).toMatchObject({ accepted: 7, delivered: 0, pending: 0, dropped: 7 });
    expect(collected.notices.at(-1)).toMatchObject({
      code: 'SINK_UNDELIVERED',
      message: expect.stringContaining('7 events undelivered'),
    });
  });

  it('keeps events until the broker starts', async () => {
    const events = sampleEvents(100);
    const sink = sinkTo('absent-at-start', ourBroker());
    sink.write(events.slice(0, 50));
    await expect(sink.connectOrExplain(10_000)).rejects.toMatchObject({ code: 'KAFKA_UNREACHABLE' });
    await broker.start();
    sink.write(events.slice(50));
    await sink.flush(FLUSH_TIMEOUT_MS);
    expect(sink.stats()).toMatchObject({ accepted: 100, delivered: 100, dropped: 0, pending: 0 });
    expect(collected.codes).toEqual(['KAFKA_UNREACHABLE', undefined]);
    const messages = await readTopic(broker.address, 'absent-at-start');
    expect(distinctIds(messages)).toEqual(idsOf(events));
  });
});

describe('with a broker', () => {
  it('delivers each event once under the host id, with its id and schema as headers', async () => {
    const events = sampleEvents(2_500);
    const sink = sinkTo('plain', ourBroker());
    await sink.connectOrExplain(10_000);
    sink.write(events);
    await sink.flush(FLUSH_TIMEOUT_MS);
    const messages = await readTopic(broker.address, 'plain');
    expect(messages.map(({ id }) => id)).toEqual(idsOf(events));
    expect(new Set(messages.map(({ key }) => key))).toEqual(new Set([HOST.id]));
    expect(new Set(messages.map(({ partition }) => partition)).size).toBe(1);
    expect(messages[0]?.headers).toBe(`vespid-event-id=${events[0]?.id},vespid-schema=vespid.event/1`);
    expect(schemaErrorsOf(messages)).toEqual([]);
    expect(collected.notices).toEqual([]);
  });

  it('reaches a broker by its IPv6 address', async (context) => {
    const proxy = await LoopbackProxy.start(broker.port);
    if (proxy === undefined) return context.skip('this machine has no IPv6 loopback address');
    const sink = sinkTo('ipv6', { host: '::1', port: proxy.port });
    sink.write(sampleEvents(3));
    await sink.flush(FLUSH_TIMEOUT_MS);
    expect(sink.stats()).toMatchObject({ delivered: 3, retried: 0 });
    await sink.close();
    proxy.stop();
  });

  it('does not wait for a broker that hangs', async () => {
    const sink = sinkTo('hanging', ourBroker());
    sink.write(sampleEvents(1));
    await sink.flush(FLUSH_TIMEOUT_MS);
    broker.pause();
    try {
      sink.write(sampleEvents(5));
      expect(await elapsedMs(sink.flush(300))).toBeLessThan(1_500);
      expect(await elapsedMs(sink.close())).toBeLessThan(1_500);
      expect(sink.stats()).toMatchObject({ delivered: 1, dropped: 5, pending: 0 });
    } finally {
      broker.resume();
    }
  });

  it('splits a batch that is too large, and gives up only the event at fault', async () => {
    await createTopic('small-batches', 20_000);
    const events = sampleEvents(100);
    const [large] = sampleEvents(1, 1_000);
    if (large === undefined) throw new Error('no sample');
    const sink = sinkTo('small-batches', ourBroker());
    sink.write(events.slice(0, 50));
    sink.write([
      { ...large, file: { flags: 0, write: false, uid: 0, mode: 0, inode: 0, path: 'x'.repeat(30_000) } },
    ]);
    sink.write(events.slice(50));
    await sink.flush(FLUSH_TIMEOUT_MS);
    expect(sink.stats()).toMatchObject({ accepted: 101, delivered: 100, dropped: 1, pending: 0 });
    expect(collected.codes).toEqual(['SINK_EVENT_TOO_LARGE']);
    expect(distinctIds(await readTopic(broker.address, 'small-batches'))).toEqual(idsOf(events));
  });
});

describe('when the broker crashes', () => {
  it('loses nothing and keeps the order while events go on', async () => {
    const written: VespidEvent[] = [];
    const sink = sinkTo('crash', ourBroker());
    let writing = true;
    const writer = (async () => {
      while (writing) {
        const events = sampleEvents(20, written.length);
        written.push(...events);
        sink.write(events);
        await sleep(5);
      }
    })();
    await vi.waitFor(() => expect(sink.stats().delivered).toBeGreaterThan(100), FLUSH_TIMEOUT_MS);
    await broker.stop('SIGKILL');
    await sleep(1_000);
    const heldBack = sink.stats().pending;
    await broker.start({ autoCreateTopics: false });
    await vi.waitFor(() => expect(sink.stats().pending).toBeLessThan(heldBack), FLUSH_TIMEOUT_MS);
    writing = false;
    await writer;
    await sink.flush(FLUSH_TIMEOUT_MS);
    expect(sink.stats()).toMatchObject({
      accepted: written.length,
      delivered: written.length,
      dropped: 0,
      pending: 0,
    });
    expect(sink.stats().retried).toBeGreaterThan(0);
    const messages = await readTopic(broker.address, 'crash');
    expect(distinctIds(messages)).toEqual(idsOf(written));
    expect(schemaErrorsOf(messages)).toEqual([]);
    // One message for the outage, one for its end: no flood.
    expect(collected.codes).toEqual(['KAFKA_UNREACHABLE', undefined]);
  });

  it('says what to do about a topic that does not exist, and delivers once it does', async () => {
    const events = sampleEvents(5);
    const sink = sinkTo('created-late', ourBroker());
    sink.write(events);
    await vi.waitFor(() => expect(collected.codes).toEqual(['KAFKA_TOPIC_UNAVAILABLE']), 20_000);
    expect(collected.notices[0]?.hint).toContain('--create --topic created-late');
    await createTopic('created-late');
    await sink.flush(FLUSH_TIMEOUT_MS);
    expect(distinctIds(await readTopic(broker.address, 'created-late'))).toEqual(idsOf(events));
  });

  it('printed nothing of the Kafka client, whose log goes to us without stack traces', async () => {
    const [port = 0] = await freePorts(1);
    const sink = sinkTo('quiet', { host: '127.0.0.1', port });
    await expect(sink.connectOrExplain(10_000)).rejects.toMatchObject({ code: 'KAFKA_UNREACHABLE' });
    expect(clientLog.some(({ message }) => message.includes('ECONNREFUSED'))).toBe(true);
    expect(clientLog.filter(({ message }) => message.includes('\n'))).toEqual([]);
    expect(output).not.toHaveBeenCalled();
  });
});

import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { EventPipeline } from '../../engine/agent/event-pipeline.js';
import { programTable } from '../../engine/agent/program-table.js';
import { FanOut, openSink, parseSink, readHostIdentity, type Sink } from '../../engine/events/index.js';
import { bootTimeNs, RingBuffer } from '../../engine/kernel/index.js';
import { onePolicy } from '../host/plan-policies.js';
import { KafkaBroker } from '../kafka/kafka-broker.js';
import { type BenchSession, withSession } from './bench-session.js';

const RING_BYTES = 32 * 1024 * 1024;
const EVENTS = 40_000;
const FLUSH_TIMEOUT_MS = 20_000;
const DRAIN_STEP = 2_000;
/** Some 9 MB of events. */
const MOST_PENDING = 10_000;

/** Events per second from a full ring buffer to a file of JSON lines. */
export async function ringToJsonl(): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'vespid-bench-'));
  try {
    const path = join(folder, 'events.jsonl');
    const result = await drainInto(`jsonl:${path}`, folder);
    return { ...result, bytesPerEvent: Math.round(statSync(path).size / EVENTS) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * Events per second from a full ring buffer to a Kafka broker that has acknowledged them all.
 *
 * @param address HOST:PORT, or `start` for a broker of the tests' own
 */
export async function ringToKafka(address: string): Promise<Record<string, unknown>> {
  if (address !== 'start') return ringToBroker(address);
  const broker = await KafkaBroker.create();
  try {
    await broker.start();
    return await ringToBroker(broker.address);
  } finally {
    await broker.remove();
  }
}

async function ringToBroker(broker: string): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), 'vespid-bench-'));
  try {
    return await drainInto(`kafka:${broker}/vespid-bench`, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function drainInto(sinkText: string, folder: string): Promise<Record<string, unknown>> {
  const secret = join(folder, 'secret');
  writeFileSync(secret, '');
  const policy = onePolicy('file.open', `file.path == ${JSON.stringify(secret)}`, 'audit');
  const host = readHostIdentity();
  const onNotice = ({ message }: { readonly message: string }) => process.stderr.write(`${message}\n`);
  const sink = await openSink(parseSink(sinkText), { hostId: host.id, onNotice });
  await sink.connectOrExplain?.(FLUSH_TIMEOUT_MS);
  return withSession(policy, RING_BYTES, async (session) => {
    await session.opener.work({ kind: 'open', path: secret }, EVENTS);
    session.kernel.detach();
    const start = performance.now();
    const decoded = await pump(session, sink);
    const seconds = (performance.now() - start) / 1000;
    const { delivered, dropped } = sink.stats();
    await sink.close();
    const { lost } = session.kernel.counters();
    if (delivered !== EVENTS) throw new Error(`${delivered} of ${EVENTS} events were delivered`);
    return {
      events: delivered,
      dropped,
      lost,
      seconds: Math.round(seconds * 1000) / 1000,
      eventsPerSecond: Math.round(delivered / seconds),
      'share of time in ring, decoding and building': Math.round((decoded / seconds) * 100) / 100,
    };
  });
}

/** From the ring to the sink as the agent does it, a batch a turn; gives the seconds before the sink. */
async function pump({ kernel, plans }: BenchSession, sink: Sink): Promise<number> {
  const bundleDigest = `sha256:${'0'.repeat(64)}`;
  const programs = programTable(
    plans.map(({ rules }) => ({ bundleDigest, rules })),
    undefined,
  );
  const clock = { bootToUnixNs: BigInt(Date.now()) * 1_000_000n - bootTimeNs() };
  const pipeline = new EventPipeline(
    { programs, host: readHostIdentity(), clock },
    new FanOut([sink]),
    (error) => {
      throw error;
    },
  );
  using ring = new RingBuffer(
    kernel.events,
    (memory, at, byteLength) => pipeline.accept(memory.subarray(at, at + byteLength)),
    { poll: false },
  );
  let seconds = 0;
  for (;;) {
    const start = performance.now();
    const count = ring.drain(DRAIN_STEP);
    seconds += (performance.now() - start) / 1000;
    if (count === 0) break;
    pipeline.flush();
    // As on the agent's event loop: reading goes on while the sink delivers, within what its queue holds.
    if (sink.stats().pending > MOST_PENDING) await sink.flush(FLUSH_TIMEOUT_MS);
    else await nextTurn();
  }
  await sink.flush(FLUSH_TIMEOUT_MS);
  return seconds;
}

import { afterEach, describe, expect, it, vi } from 'vitest';
import { VespidError } from '../../../engine/errors/index.js';
import { Delivery, type DeliveryOptions } from '../../../engine/events/sinks/delivery.js';
import type { EncodedEvent } from '../../../engine/events/sinks/event-queue.js';
import { sampleEvents } from '../sample-events.js';
import { CollectedNotices } from './collected-notices.js';

const events = sampleEvents(30);
const ids = events.map(({ id }) => id);

function deliveryWith(options: Partial<DeliveryOptions> & Pick<DeliveryOptions, 'deliver'>) {
  const collected = new CollectedNotices();
  const delivery = new Delivery({
    sink: 'test',
    queueLimitBytes: 2 ** 20,
    batchLimit: { events: 4, bytes: 2 ** 20 },
    backoff: { initialMs: 1, maxMs: 4 },
    explain: (cause) => new VespidError('KAFKA_UNREACHABLE', 'it failed', { cause }),
    onNotice: collected.onNotice,
    ...options,
  });
  return { delivery, collected };
}

/** Succeeds where `plan` says so, and records what arrived. */
function receiver(plan: (attempt: number) => boolean = () => true) {
  const arrived: string[] = [];
  const batches: (readonly EncodedEvent[])[] = [];
  const deliver = async (batch: readonly EncodedEvent[]) => {
    batches.push(batch);
    if (!plan(batches.length)) throw new Error('away');
    arrived.push(...batch.map(({ id }) => id));
    return batch.length;
  };
  return { arrived, batches, deliver };
}

const never = () => new Promise<number>(() => {});

afterEach(() => void vi.useRealTimers());

describe('Delivery', () => {
  it('delivers in order, in batches within the limit', async () => {
    const { arrived, batches, deliver } = receiver();
    const { delivery } = deliveryWith({ deliver });
    for (const event of events) delivery.write([event]);
    expect(delivery.stats()).toMatchObject({ accepted: 30, delivered: 0, pending: 30 });
    await delivery.flush(5_000);
    expect(arrived).toEqual(ids);
    expect(batches.map((batch) => batch.length)).toEqual([4, 4, 4, 4, 4, 4, 4, 2]);
    expect(delivery.stats()).toEqual({ accepted: 30, delivered: 30, retried: 0, dropped: 0, pending: 0 });
    await delivery.close();
  });

  it('tries the very same batch again, and loses and reorders nothing', async () => {
    const { arrived, batches, deliver } = receiver((attempt) => attempt % 3 === 0);
    const { delivery, collected } = deliveryWith({ deliver });
    delivery.write(events);
    await vi.waitFor(() => expect(delivery.stats().delivered).toBe(30), 5_000);
    expect(arrived).toEqual(ids);
    expect(batches[1]).toBe(batches[0]);
    expect(delivery.stats()).toEqual({ accepted: 30, delivered: 30, retried: 16, dropped: 0, pending: 0 });
    expect(collected.codes).toEqual(['KAFKA_UNREACHABLE', undefined]);
    await delivery.close();
  });

  it('refuses what does not fit into the queue, and counts it', async () => {
    const { delivery, collected } = deliveryWith({ deliver: never, queueLimitBytes: 4_000 });
    delivery.write(events);
    const { accepted, dropped, pending } = delivery.stats();
    expect(accepted + dropped).toBe(30);
    expect(pending).toBe(accepted);
    expect(dropped).toBeGreaterThan(0);
    expect(collected.codes).toEqual(['SINK_QUEUE_FULL']);
    await delivery.close();
    expect(delivery.stats()).toMatchObject({ dropped: 30, pending: 0 });
    expect(collected.codes).toEqual(['SINK_QUEUE_FULL', 'SINK_UNDELIVERED']);
  });

  it('counts what the receiver will never take', async () => {
    const { delivery, collected } = deliveryWith({ deliver: async (batch) => batch.length - 1 });
    delivery.write(events.slice(0, 4));
    await delivery.flush(5_000);
    expect(delivery.stats()).toMatchObject({ delivered: 3, dropped: 1, pending: 0 });
    expect(collected.codes).toEqual(['SINK_EVENT_TOO_LARGE']);
    await delivery.close();
  });

  it('gives up at once when trying again is in vain', async () => {
    const { deliver } = receiver(() => false);
    const { delivery, collected } = deliveryWith({ deliver, isFinal: () => true });
    delivery.write(events);
    await delivery.flush(5_000);
    delivery.write(events);
    expect(delivery.stats()).toEqual({ accepted: 30, delivered: 0, retried: 0, dropped: 60, pending: 0 });
    expect(collected.notices).toHaveLength(1);
    await delivery.close();
    expect(collected.notices).toHaveLength(1);
  });

  it('flush ends by its deadline', async () => {
    const { delivery } = deliveryWith({ deliver: never });
    delivery.write(events);
    const start = performance.now();
    await delivery.flush(50);
    expect(performance.now() - start).toBeLessThan(1_000);
    expect(delivery.stats().pending).toBe(30);
    await delivery.close();
  });

  it('flush does not wait for a long backoff', async () => {
    const { arrived, deliver } = receiver((attempt) => attempt > 1);
    const { delivery } = deliveryWith({ deliver, backoff: { initialMs: 60_000, maxMs: 60_000 } });
    delivery.write(events);
    await vi.waitFor(() => expect(delivery.stats().pending).toBe(30));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await delivery.flush(5_000);
    expect(arrived).toEqual(ids);
    await delivery.close();
  });

  it('close aborts a delivery under way, reports the rest and takes nothing more', async () => {
    const aborted = vi.fn();
    const deliver = (_: readonly EncodedEvent[], signal: AbortSignal) =>
      new Promise<number>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted();
          reject(signal.reason);
        });
      });
    const { delivery, collected } = deliveryWith({ deliver });
    delivery.write(events);
    await delivery.flush(10);
    await Promise.all([delivery.close(), delivery.close()]);
    expect(aborted).toHaveBeenCalledOnce();
    expect(collected.notices).toMatchObject([
      { level: 'error', message: 'closed with 30 events undelivered' },
    ]);
    delivery.write(events);
    expect(delivery.stats()).toEqual({ accepted: 30, delivered: 0, retried: 0, dropped: 60, pending: 0 });
  });

  it('does not count a delivery twice that ends after closing gave it up', async () => {
    let arrive: (count: number) => void = () => {};
    const deliver = () =>
      new Promise<number>((resolve) => {
        arrive = resolve;
      });
    const { delivery } = deliveryWith({ deliver });
    delivery.write(events.slice(0, 2));
    await delivery.flush(10);
    await delivery.close();
    arrive(2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(delivery.stats()).toEqual({ accepted: 2, delivered: 0, retried: 0, dropped: 2, pending: 0 });
  });
});

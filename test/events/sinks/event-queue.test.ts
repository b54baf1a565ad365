import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EncodedEvent, EventQueue, encodeEvent } from '../../../engine/events/sinks/event-queue.js';
import { sampleEvents } from '../sample-events.js';

const sized = (id: number, byteLength: number): EncodedEvent => ({ id: String(id), json: '', byteLength });
const NO_LIMIT = { events: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER };

describe('EventQueue', () => {
  it('gives everything it took in order, and never holds more than its limit', () => {
    const operation = fc.oneof(
      fc.record({ push: fc.nat(40) }),
      fc.record({ take: fc.record({ events: fc.integer({ min: 1, max: 5 }), bytes: fc.nat(60) }) }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
        const queue = new EventQueue(100);
        let held: EncodedEvent[] = [];
        let nextId = 0;
        for (const step of operations) {
          if ('push' in step) {
            const event = sized(nextId++, step.push);
            const heldBytes = held.reduce((sum, { byteLength }) => sum + byteLength, 0);
            const fits = held.length === 0 || heldBytes + step.push <= 100;
            expect(queue.push(event)).toBe(fits);
            if (fits) held.push(event);
          } else {
            const batch = queue.take(step.take);
            expect(batch).toEqual(held.slice(0, batch.length));
            expect(batch.length).toBeLessThanOrEqual(step.take.events);
            if (held.length > 0) expect(batch.length).toBeGreaterThan(0);
            const bytes = batch.reduce((sum, { byteLength }) => sum + byteLength, 0);
            if (batch.length > 1) expect(bytes).toBeLessThanOrEqual(step.take.bytes);
            held = held.slice(batch.length);
          }
          expect(queue.length).toBe(held.length);
        }
        expect(queue.take(NO_LIMIT)).toEqual(held);
      }),
    );
  });

  it('takes a first event of any size, so that none is stuck', () => {
    expect(new EventQueue(10).push(sized(0, 1000))).toBe(true);
  });

  it('counts what it gives up', () => {
    const queue = new EventQueue(1000);
    for (let id = 0; id < 5; id++) queue.push(sized(id, 1));
    queue.take({ events: 2, bytes: 100 });
    expect(queue.clear()).toBe(3);
    expect(queue.length).toBe(0);
  });

  it('measures an event in bytes of UTF-8, on one line', () => {
    const [event] = sampleEvents(1);
    if (event === undefined) throw new Error('no sample');
    const encoded = encodeEvent({ ...event, host: { ...event.host, name: 'höst\n' } });
    expect(encoded.byteLength).toBe(Buffer.byteLength(encoded.json));
    expect(encoded.json).not.toContain('\n');
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type RecordLease, RingBuffer } from '../../engine/kernel/index.js';
import { thrownBy } from '../policies/policy-text.js';
import { leastAllocatedBytes } from './allocated-bytes.js';
import { FileRing } from './file-ring.js';

const PAGE = 4096;
const BUSY = 0x8000_0000;
const DISCARD = 0x4000_0000;

let folder: string;
let ring: FileRing;
let seen: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vespid-ring-'));
  ring = new FileRing(join(folder, 'ring'));
  seen = [];
});
afterEach(() => {
  ring.close();
  rmSync(folder, { recursive: true });
});

const reader = () =>
  RingBuffer.copying(ring.map(), (record) => seen.push(Buffer.from(record).toString('latin1')), {
    poll: false,
  });

describe('RingBuffer', () => {
  test('gives records in order, of any length, and frees their room', () => {
    using buffer = reader();
    for (const text of ['', 'a', '12345678', 'x'.repeat(100)]) ring.append(text);
    expect(buffer.drain()).toBe(4);
    expect(seen).toEqual(['', 'a', '12345678', 'x'.repeat(100)]);
    expect(ring.consumerPosition()).toBe(8 + 16 + 16 + 112);
    expect(buffer.drain()).toBe(0);
  });

  test('stops at a record that is still being written, and takes it when it is done', () => {
    using buffer = reader();
    ring.append('first');
    const busy = ring.append('second', BUSY);
    ring.append('third');
    expect(buffer.drain()).toBe(1);
    expect(ring.consumerPosition()).toBe(16);
    ring.setHeader(busy, 'second'.length, 0);
    expect(buffer.drain()).toBe(2);
    expect(seen).toEqual(['first', 'second', 'third']);
  });

  test('steps over discarded records and frees their room', () => {
    using buffer = reader();
    ring.append('gone', DISCARD);
    ring.append('here');
    ring.append('gone too', DISCARD);
    expect(buffer.drain()).toBe(1);
    expect(seen).toEqual(['here']);
    expect(ring.consumerPosition()).toBe(16 + 16 + 16);
  });

  test('takes no more than it is asked for', () => {
    using buffer = reader();
    for (const text of ['1', '2', '3']) ring.append(text);
    expect(buffer.drain(2)).toBe(2);
    expect(seen).toEqual(['1', '2']);
    expect(buffer.drain(2)).toBe(1);
  });

  test('goes round: a record across the end is one piece', () => {
    using buffer = reader();
    const texts = Array.from({ length: 40 }, (_, index) => `${index}:`.padEnd(100 + index * 7, '.'));
    for (const text of texts) {
      ring.append(text);
      buffer.drain();
    }
    expect(seen).toEqual(texts);
  });

  test.each([2 ** 32 - 16, 2 ** 32, 2 ** 40 + 4080])(
    'starts at position %d, where another reader left it',
    (start) => {
      ring.close();
      ring = new FileRing(join(folder, 'later'), start);
      using buffer = reader();
      ring.append('a record across the end of the data');
      ring.append('and one behind it');
      expect(buffer.drain()).toBe(2);
      expect(seen).toEqual(['a record across the end of the data', 'and one behind it']);
      expect(ring.consumerPosition()).toBe(start + 48 + 32);
    },
  );

  test('frees the room of what was taken, also when the taker throws', () => {
    ring.append('first');
    ring.append('second');
    using buffer = RingBuffer.copying(
      ring.map(),
      (record) => {
        seen.push(Buffer.from(record).toString('latin1'));
        if (seen.length === 1) throw new Error('the taker failed');
      },
      { poll: false },
    );
    expect(() => buffer.drain()).toThrow('the taker failed');
    expect(ring.consumerPosition()).toBe(16);
    expect(buffer.drain()).toBe(1);
    expect(seen).toEqual(['first', 'second']);
  });

  test('does nothing once it is closed', () => {
    const buffer = reader();
    ring.append('late');
    buffer[Symbol.dispose]();
    buffer[Symbol.dispose]();
    expect(buffer.drain()).toBe(0);
    expect(seen).toEqual([]);
  });

  test.each([0, 100, 3 * PAGE])('a size of %d bytes is no ring buffer', (maxEntries) => {
    expect(thrownBy(() => new RingBuffer(ring.map(maxEntries), () => {}, { poll: false })).code).toBe(
      'RING_SIZE_INVALID',
    );
  });

  describe('bytes allocated per record, over 131072 records', () => {
    const DATA_BYTES = 8 * 1024 * 1024;

    function perRecord(onRecord: RecordLease): number {
      ring.close();
      ring = new FileRing(join(folder, 'large'), 0, DATA_BYTES);
      using buffer = new RingBuffer(ring.map(), onRecord, { poll: false });
      let count = 0;
      let drained = 0;
      const allocated = leastAllocatedBytes(
        () => {
          expect(drained).toBe(count);
          count = ring.fill();
        },
        () => {
          drained = buffer.drain();
        },
      );
      expect(drained).toBe(count);
      return allocated / count;
    }

    test('leased: none', () => {
      let sum = 0;
      const allocated = perRecord((memory, byteOffset) => {
        sum = (sum + (memory[byteOffset] ?? 0)) | 0;
      });
      // What remains is the measurement's own: some kilobytes in all.
      expect(allocated).toBeLessThan(0.1);
      expect(sum).toBe(0);
    });

    test('the measurement sees one small object per record', () => {
      let last: unknown;
      const allocated = perRecord((_memory, byteOffset) => {
        last = { byteOffset };
      });
      expect(allocated).toBeGreaterThan(1);
      expect(last).toBeDefined();
    });
  });
});

import { openSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OwnedFd } from '../../engine/kernel/index.js';
import { PerfRing } from '../../engine/kernel/records/perf-ring.js';
import { MemoryMapping } from '../../engine/kernel/system/libc.js';
import { leastAllocatedBytes } from './allocated-bytes.js';

const PAGE = 4096;
const HEAD = 1024;
const TAIL = 1032;
const RECORD = { lost: 2, throttle: 5, sample: 9 } as const;

/** The memory of one CPU's ring, written as `perf_output_begin` and its like write it. */
class MemoryRing {
  readonly buffer: ArrayBuffer;
  readonly ring: PerfRing;
  readonly #view: DataView;
  #head: bigint;

  constructor(
    readonly dataBytes: number,
    start = 0n,
  ) {
    this.buffer = new ArrayBuffer(PAGE + dataBytes);
    this.#view = new DataView(this.buffer);
    this.#head = start;
    this.#view.setBigUint64(HEAD, start, true);
    this.#view.setBigUint64(TAIL, start, true);
    const mapping = new MemoryMapping(this.buffer, () => {});
    this.ring = new PerfRing(3, new OwnedFd(openSync('/dev/null', 'r')), mapping, false);
  }

  get tail(): bigint {
    return this.#view.getBigUint64(TAIL, true);
  }

  free(): number {
    return this.dataBytes - Number(this.#head - this.tail);
  }

  sample(payload: Uint8Array): number {
    const raw = Math.ceil((payload.byteLength + 4) / 8) * 8;
    const body = new Uint8Array(raw);
    new DataView(body.buffer).setUint32(0, raw - 4, true);
    body.set(payload, 4);
    return this.record(RECORD.sample, body);
  }

  lost(count: bigint): number {
    return this.record(RECORD.lost, new Uint8Array(new BigUint64Array([7n, count]).buffer));
  }

  /** Gives its length, or 0 when it finds no room. */
  record(type: number, body: Uint8Array): number {
    const size = 8 + body.byteLength;
    if (size > this.free()) return 0;
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, type, true);
    view.setUint16(6, size, true);
    bytes.set(body, 8);
    const data = new Uint8Array(this.buffer, PAGE);
    const at = Number(this.#head % BigInt(this.dataBytes));
    const first = bytes.subarray(0, this.dataBytes - at);
    data.set(first, at);
    data.set(bytes.subarray(first.byteLength), 0);
    this.#head += BigInt(size);
    this.#view.setBigUint64(HEAD, this.#head, true);
    return size;
  }
}

const open = () => false;

describe('PerfRing', () => {
  test('gives samples of any length in order, from any position, and frees their room', () => {
    const start = fc.constantFrom(0n, 2n ** 32n - 8n, 2n ** 32n - 4096n, 2n ** 40n + 64n);
    const payloads = fc.array(fc.uint8Array({ minLength: 1, maxLength: 900 }), { maxLength: 40 });
    fc.assert(
      fc.property(start, payloads, (from, sent) => {
        const memory = new MemoryRing(4096, from);
        const seen: Uint8Array[] = [];
        let bytes = 0;
        for (const payload of sent) {
          bytes += memory.sample(payload);
          memory.ring.drain(
            Number.POSITIVE_INFINITY,
            (data, at, length) => seen.push(data.slice(at, at + length)),
            open,
          );
        }
        expect(seen.map((record, index) => record.subarray(0, sent[index]?.byteLength))).toEqual(sent);
        for (const [index, record] of seen.entries()) {
          expect((record.byteLength + 4) % 8).toBe(0);
          expect(record.byteLength - (sent[index]?.byteLength ?? 0)).toBeLessThan(8);
        }
        expect(memory.tail - from).toBe(BigInt(bytes));
      }),
    );
  });

  test('counts what the kernel says was lost, and steps over records of other kinds', () => {
    const memory = new MemoryRing(4096);
    memory.sample(Uint8Array.of(1));
    memory.lost(5n);
    memory.record(RECORD.throttle, new Uint8Array(24));
    memory.sample(Uint8Array.of(2));
    memory.lost(7n);
    const seen: number[] = [];
    expect(memory.ring.drain(9, (data, at) => seen.push(data[at] ?? 0), open)).toBe(2);
    expect(seen).toEqual([1, 2]);
    expect(memory.ring.lost()).toBe(12n);
    expect(memory.free()).toBe(4096);
  });

  test('takes no more than it is asked for', () => {
    const memory = new MemoryRing(4096);
    for (const value of [1, 2, 3]) memory.sample(Uint8Array.of(value));
    const seen: number[] = [];
    expect(memory.ring.drain(2, (data, at) => seen.push(data[at] ?? 0), open)).toBe(2);
    expect(memory.ring.drain(2, (data, at) => seen.push(data[at] ?? 0), open)).toBe(1);
    expect(seen).toEqual([1, 2, 3]);
  });

  test('frees the room of what was taken, also when the taker throws', () => {
    const memory = new MemoryRing(4096);
    memory.sample(Uint8Array.of(1));
    memory.sample(Uint8Array.of(2));
    const fail = () => {
      throw new Error('the taker failed');
    };
    expect(() => memory.ring.drain(9, fail, open)).toThrow('the taker failed');
    expect(memory.tail).toBe(16n);
  });

  test('touches the tail no more once the taker has closed it', () => {
    const memory = new MemoryRing(4096);
    memory.sample(Uint8Array.of(1));
    memory.sample(Uint8Array.of(2));
    let isClosed = false;
    const close = () => {
      isClosed = true;
    };
    expect(memory.ring.drain(9, close, () => isClosed)).toBe(1);
    expect(memory.tail).toBe(0n);
  });

  test('leased records allocate nothing, wrapped ones neither', () => {
    // 88 bytes do not divide the ring: one record a turn lies across its end.
    const memory = new MemoryRing(1 << 20);
    let sum = 0;
    const take = (data: Uint8Array, at: number) => {
      sum = (sum + (data[at] ?? 0)) | 0;
    };
    const payload = new Uint8Array(76);
    let count = 0;
    const allocated = leastAllocatedBytes(
      () => {
        while (memory.sample(payload) > 0);
      },
      () => {
        count = memory.ring.drain(Number.POSITIVE_INFINITY, take, open);
      },
    );
    expect(count).toBeGreaterThan(11_000);
    expect(allocated / count).toBeLessThan(0.5);
    expect(sum).toBe(0);
  });
});

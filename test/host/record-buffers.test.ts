import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  PerfBuffer,
  type PerfRecord,
  ResourceStack,
  RingBuffer,
  UserRingBuffer,
} from '../../engine/kernel/index.js';
import { compileFixture } from '../bytecode/external-tools.js';
import { LoadedFixture } from '../links/loaded-fixture.js';
import { thrownBy } from '../policies/policy-text.js';

let object: Uint8Array;
beforeAll(() => {
  object = compileFixture('records');
});

let resources = new ResourceStack();
afterEach(() => {
  resources[Symbol.dispose]();
  resources = new ResourceStack();
});

const load = (...programs: string[]) => resources.use(new LoadedFixture(object, programs));
const u64 = (...values: readonly bigint[]) => new Uint8Array(new BigUint64Array(values).buffer);
const firstU64 = (bytes: Uint8Array) =>
  Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

/** `struct request`; gives the number of records that found no room. */
function request(fixture: LoadedFixture, program: string, count: number, bytes: number): number {
  const context = new Uint8Array(16);
  const view = new DataView(context.buffer);
  view.setUint32(0, count, true);
  view.setUint32(4, bytes, true);
  const { contextOut } = fixture.program(program).testRun({ context });
  return Number(new DataView(contextOut.buffer, contextOut.byteOffset).getBigUint64(8, true));
}

describe('RingBuffer', () => {
  test('loses exactly what the program found no room for, and gives room back', () => {
    const fixture = load('fill_ring');
    const seen: number[] = [];
    const ring = resources.use(
      RingBuffer.copying(fixture.map('ring'), (record) => seen.push(firstU64(record)), { poll: false }),
    );
    const room = 65536 / 72;
    expect(request(fixture, 'fill_ring', 1000, 64)).toBe(1000 - Math.floor(room));
    expect(ring.state()).toMatchObject({ byteLength: 65536, consumerPosition: 0n, isBusy: false });
    expect(ring.drain()).toBe(Math.floor(room));
    expect(seen).toEqual(numbers(0, Math.floor(room)));
    expect(ring.state().usedBytes).toBe(0);
    for (let round = 0; round < 20; round++) {
      seen.length = 0;
      expect(request(fixture, 'fill_ring', 700, 64)).toBe(0);
      expect(ring.drain(300) + ring.drain()).toBe(700);
      expect(seen).toEqual(numbers(0, 700));
    }
  });

  test('as a stream: waits, keeps what is not asked for in the ring, ends with a break', async () => {
    const fixture = load('fill_ring', 'wake_ring');
    const stream = RingBuffer.stream(fixture.map('ring'));
    const seen: number[] = [];
    setTimeout(() => {
      request(fixture, 'fill_ring', 5, 64);
      request(fixture, 'wake_ring', 99, 8);
    }, 20);
    for await (const record of stream) {
      seen.push(firstU64(record));
      if (seen.length === 3) break;
    }
    expect(seen).toEqual([0, 1, 2]);
    const rest = resources.use(
      RingBuffer.copying(fixture.map('ring'), (record) => seen.push(firstU64(record)), { poll: false }),
    );
    expect(rest.drain()).toBe(3);
    expect(seen).toEqual([0, 1, 2, 3, 4, 99]);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  test('pauses and resumes', async () => {
    const fixture = load('wake_ring');
    const seen: number[] = [];
    const ring = resources.use(
      RingBuffer.copying(fixture.map('ring'), (record) => seen.push(firstU64(record))),
    );
    ring.pause();
    request(fixture, 'wake_ring', 7, 8);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(seen).toEqual([]);
    ring.resume();
    await expect.poll(() => seen).toEqual([7]);
  });
});

describe('PerfBuffer', () => {
  /** Runs the program on a CPU; gives how many outputs failed. */
  const fill = (fixture: LoadedFixture, cpu: number, count: number, bytes: number) =>
    fixture.program('fill_perf').testRun({ context: u64(BigInt(count), BigInt(bytes)), cpu }).returnValue;

  const open = (fixture: LoadedFixture, seen: PerfRecord[], bytesPerCpu = 4096) =>
    resources.use(
      PerfBuffer.copying(fixture.map('perf'), (record) => seen.push(record), { bytesPerCpu, poll: false }),
    );

  test('gives the records of every CPU in order, also those that go round the end of the ring', () => {
    const fixture = load('fill_perf');
    const seen: PerfRecord[] = [];
    const buffer = open(fixture, seen);
    let written = 0;
    for (let round = 0; round < 300; round++) {
      const count = 1 + (round % 7);
      const bytes = 8 + ((round * 13) % 400);
      seen.length = 0;
      expect(fill(fixture, round % 2, count, bytes)).toBe(0);
      expect(buffer.drain()).toBe(count);
      expect(seen.map(({ cpu }) => cpu)).toEqual(Array(count).fill(round % 2));
      expect(seen.map((record) => firstU64(record.bytes))).toEqual(numbers(written, written + count));
      // The kernel pads a record so that with the 4 bytes of its length it fills whole words of 8.
      expect(seen[0]?.bytes.byteLength).toBe(Math.ceil((bytes + 4) / 8) * 8 - 4);
      written += count;
    }
    expect([...buffer.losses().values()]).toEqual([0n, 0n]);
  });

  test('counts what it lost, by CPU, and goes on behind the loss', () => {
    const fixture = load('fill_perf');
    const seen: PerfRecord[] = [];
    const buffer = open(fixture, seen);
    const failed = fill(fixture, 1, 200, 100);
    expect(failed).toBeGreaterThan(0);
    expect(buffer.losses()).toEqual(
      new Map([
        [0, 0n],
        [1, BigInt(failed)],
      ]),
    );
    expect(buffer.drain()).toBe(200 - failed);
    expect(fill(fixture, 1, 1, 100)).toBe(0);
    expect(buffer.drain()).toBe(1);
    expect(firstU64(seen.at(-1)?.bytes ?? new Uint8Array(8))).toBe(200);
    expect(buffer.losses().get(1)).toBe(BigInt(failed));
  });

  test('leases a record in the ring, without a copy', () => {
    const fixture = load('fill_perf');
    const memories = new Set<ArrayBuffer>();
    const buffer = resources.use(
      new PerfBuffer(fixture.map('perf'), (memory) => memories.add(memory.buffer), { poll: false }),
    );
    fill(fixture, 0, 100, 64);
    expect(buffer.drain()).toBe(100);
    expect(memories.size).toBe(1);
  });

  test('as a stream: wakes at the watermark', async () => {
    const fixture = load('fill_perf');
    const stream = PerfBuffer.stream(fixture.map('perf'), { wakeup: { records: 3 } });
    const next = stream.next();
    let isDone = false;
    void next.then(() => (isDone = true));
    fill(fixture, 0, 2, 64);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isDone).toBe(false);
    fill(fixture, 0, 1, 64);
    const { value } = await next;
    expect(value).toMatchObject({ cpu: 0 });
    await stream.return();
  });

  test('a program finds no event once the buffer is gone', () => {
    const fixture = load('fill_perf');
    const buffer = open(fixture, []);
    expect(fill(fixture, 0, 1, 64)).toBe(0);
    buffer[Symbol.dispose]();
    expect(fill(fixture, 0, 1, 64)).toBe(1);
    expect(buffer.drain()).toBe(0);
  });

  test.each([0, 100, 3 * 4096, 2 ** 31])('a size of %d bytes is refused', (bytesPerCpu) => {
    const fixture = load('fill_perf');
    expect(thrownBy(() => open(fixture, [], bytesPerCpu)).code).toBe('RING_SIZE_INVALID');
  });
});

describe('UserRingBuffer', () => {
  test('what is submitted reaches the program in order, what is discarded does not', () => {
    const fixture = load('drain_user');
    const ring = resources.use(new UserRingBuffer(fixture.map('from_user')));
    expect(ring.output(u64(5n))).toBe(true);
    const [second, third] = [ring.reserve(8), ring.reserve(8)];
    second?.bytes.set(u64(1000n));
    third?.bytes.set(u64(7n));
    third?.submit();
    second?.discard();
    expect(request(fixture, 'drain_user', 0, 0)).toBe(2);
    expect([fixture.u64('results', 0), fixture.u64('results', 1)]).toEqual([2n, 12n]);
    expect(ring.freeBytes).toBe(4096);
  });

  test('says when it is full, and has room again when the program has drained', () => {
    const fixture = load('drain_user');
    const ring = resources.use(new UserRingBuffer(fixture.map('from_user')));
    let sent = 0;
    for (let round = 0; round < 5; round++) {
      let written = 0;
      while (ring.output(new Uint8Array(100))) written++;
      expect(written).toBe(Math.floor(4096 / 112));
      expect(request(fixture, 'drain_user', 0, 0)).toBe(written);
      sent += written;
    }
    expect(fixture.u64('results', 0)).toBe(BigInt(sent));
  });

  test('a record that is not finished stops the drain until it is', () => {
    const fixture = load('drain_user');
    const ring = resources.use(new UserRingBuffer(fixture.map('from_user')));
    const first = ring.reserve(8);
    ring.output(u64(2n));
    expect(request(fixture, 'drain_user', 0, 0)).toBe(0);
    first?.submit();
    expect(request(fixture, 'drain_user', 0, 0)).toBe(2);
  });

  test('a record that no ring of this size can hold is refused, and a second submit', () => {
    const fixture = load('drain_user');
    const ring = resources.use(new UserRingBuffer(fixture.map('from_user')));
    expect(thrownBy(() => ring.reserve(4096)).code).toBe('RECORD_SIZE_INVALID');
    const record = ring.reserve(0);
    record?.submit();
    expect(thrownBy(() => record?.discard()).code).toBe('INTERNAL');
  });
});

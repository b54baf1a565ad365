import { readFileSync } from 'node:fs';
import type { BpfMap } from '../maps/map.js';
import { u32Key } from '../maps/map-keys.js';
import { type Readiness, whenReadable } from '../system/libc.js';
import { ResourceStack } from '../system/resource-stack.js';
import { PerfRing, type PerfWakeup } from './perf-ring.js';
import { RecordStream } from './record-stream.js';
import type { RecordLease } from './ring-buffer.js';

/** Takes one record of one CPU. The lease is that of {@link RecordLease}; the memory differs from CPU to CPU. */
export type PerfRecordLease = (
  memory: Uint8Array<ArrayBuffer>,
  byteOffset: number,
  byteLength: number,
  cpu: number,
) => void;

/** A record that the receiver may keep. */
export interface PerfRecord {
  readonly cpu: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface PerfBufferOptions {
  /** Of each CPU's ring: a power of two of at least a page. Default 64 KiB. */
  readonly bytesPerCpu?: number;
  /** When the kernel wakes the reader. Default: at every record. */
  readonly wakeup?: PerfWakeup;
  /** With false nothing is watched on the event loop: the owner calls {@link PerfBuffer.drain}. Default true. */
  readonly poll?: boolean;
}

const DEFAULT_BYTES_PER_CPU = 64 * 1024;
const RECORDS_PER_TURN = 4096;

/**
 * The consumer of a perf event array, to which programs write by `bpf_perf_event_output(ctx, &map, BPF_F_CURRENT_CPU,
 * …)`: one ring for each CPU. A record is as long as the program said, padded so that with the 4 bytes before it the
 * length is a multiple of 8. Records of one CPU come in order, of several CPUs in no order.
 */
export class PerfBuffer implements Disposable {
  readonly #rings: readonly PerfRing[];
  readonly #resources: ResourceStack;
  readonly #readiness: Readiness[] = [];
  readonly #leases: readonly RecordLease[];
  readonly #isClosed = () => this.#closed;
  #closed = false;
  #isDraining = false;
  /** The ring that the next drain begins with: a busy CPU must not keep the others waiting. */
  #first = 0;

  /** @throws VespidError RING_SIZE_INVALID, KERNEL_PERMISSION, KERNEL_CALL_FAILED */
  constructor(map: BpfMap, onRecord: PerfRecordLease, options: PerfBufferOptions = {}) {
    using resources = new ResourceStack();
    this.#rings = onlineCpus()
      .filter((cpu) => cpu < map.definition.maxEntries)
      .map((cpu) => {
        const bytes = options.bytesPerCpu ?? DEFAULT_BYTES_PER_CPU;
        const ring = resources.use(PerfRing.open(cpu, bytes, options.wakeup ?? { records: 1 }));
        map.update(u32Key(cpu), u32Key(ring.event.fd));
        // The map holds the event, too: without this the program would go on writing to a ring without a reader.
        // When the map was closed, the kernel has taken the events out that came by its descriptor.
        resources.use({
          [Symbol.dispose]: () => {
            if (map.isOpen) map.delete(u32Key(cpu));
          },
        });
        ring.enable();
        return ring;
      });
    // Made once: a closure for each drain would be garbage for each turn.
    this.#leases = this.#rings.map(
      ({ cpu }) =>
        (memory, byteOffset, byteLength) =>
          onRecord(memory, byteOffset, byteLength, cpu),
    );
    if (options.poll !== false) {
      for (const { event } of this.#rings) {
        const readiness = whenReadable(event.fd, () => this.drain(RECORDS_PER_TURN));
        resources.use({ [Symbol.dispose]: () => readiness.close() });
        this.#readiness.push(readiness);
      }
    }
    this.#resources = resources.move();
  }

  /** The copying form: each record as an array of its own, which the receiver may keep. */
  static copying(
    map: BpfMap,
    onRecord: (record: PerfRecord) => void,
    options: PerfBufferOptions = {},
  ): PerfBuffer {
    return new PerfBuffer(
      map,
      (memory, byteOffset, byteLength, cpu) =>
        onRecord({ cpu, bytes: memory.slice(byteOffset, byteOffset + byteLength) }),
      options,
    );
  }

  /** The copying form as an async iterator: a record stays in its ring until it is asked for. */
  static stream(map: BpfMap, options: Omit<PerfBufferOptions, 'poll'> = {}): RecordStream<PerfRecord> {
    const taken: PerfRecord[] = [];
    const buffer = PerfBuffer.copying(map, (record) => taken.push(record), { ...options, poll: false });
    return new RecordStream({
      fds: buffer.#rings.map(({ event }) => event.fd),
      take() {
        buffer.drain(1);
        return taken.pop();
      },
      [Symbol.dispose]: () => buffer[Symbol.dispose](),
    });
  }

  /**
   * Hands every record that is ready to the taker, at most `most`, and frees their room. What the taker throws comes
   * out here; the record that it threw at counts as taken.
   *
   * @returns the number of records handed on
   */
  drain(most = Number.POSITIVE_INFINITY): number {
    if (this.#closed || this.#isDraining) return 0;
    this.#isDraining = true;
    let count = 0;
    try {
      for (let turn = 0; turn < this.#rings.length && count < most && !this.#closed; turn++) {
        const index = (this.#first + turn) % this.#rings.length;
        const [ring, lease] = [this.#rings[index], this.#leases[index]];
        if (ring !== undefined && lease !== undefined) {
          count += ring.drain(most - count, lease, this.#isClosed);
        }
      }
      this.#first = (this.#first + 1) % Math.max(this.#rings.length, 1);
    } finally {
      this.#isDraining = false;
    }
    return count;
  }

  /**
   * Samples that found no room since this buffer was opened, by CPU. Exact at any time from Linux 6.0; before, a loss
   * is counted when the first record after it is read.
   */
  losses(): ReadonlyMap<number, bigint> {
    return new Map(this.#rings.map((ring) => [ring.cpu, this.#closed ? 0n : ring.lost()]));
  }

  /** Stops watching: records stay in the rings, and what finds no room is counted as lost. */
  pause(): void {
    for (const each of this.#readiness) each.pause();
  }

  resume(): void {
    if (!this.#closed) for (const each of this.#readiness) each.resume();
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#resources[Symbol.dispose]();
  }
}

/** The numbers in /sys/devices/system/cpu/online: `0-3`, `0,2-5`. */
function onlineCpus(): number[] {
  const text = readFileSync('/sys/devices/system/cpu/online', 'utf8').trim();
  return text.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

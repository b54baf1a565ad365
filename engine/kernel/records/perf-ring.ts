import { readSync } from 'node:fs';
import { VespidError } from '../../errors/index.js';
import { type MemoryMapping, mapMemory, pageBytes } from '../system/libc.js';
import type { OwnedFd } from '../system/owned-fd.js';
import {
  enablePerfEvent,
  openPerfEvent,
  PERF_FORMAT_LOST,
  PERF_SAMPLE_RAW,
  PERF_SOFTWARE,
  PERF_TYPE,
} from './perf-event.js';
import type { RecordLease } from './ring-buffer.js';
import { LARGEST_RING, RingPosition } from './ring-position.js';

/** `data_head` and `data_tail` of `struct perf_event_mmap_page`, include/uapi/linux/perf_event.h. */
const HEAD_OFFSET = 1024;
const TAIL_OFFSET = 1032;
/** enum perf_event_type: what a BPF output event writes. */
const RECORD = { lost: 2, sample: 9 } as const;
/** `struct perf_event_header`, and the u32 in front of a raw sample. */
const HEADER_BYTES = 8;
const SAMPLE_HEADER_BYTES = 12;
/** A record's size is a u16. */
const LARGEST_RECORD = 0xffff;

/** When the kernel wakes the reader: after so many records, or so many bytes. */
export type PerfWakeup = { readonly records: number } | { readonly bytes: number };

/** One CPU's part of a perf event array: a software event and its ring of records. */
export class PerfRing implements Disposable {
  readonly #mapping: MemoryMapping;
  readonly #head: RingPosition;
  readonly #tail: RingPosition;
  readonly #data: Uint8Array<ArrayBuffer>;
  readonly #words: Uint32Array<ArrayBuffer>;
  /** Holds the one record in a turn of the ring that lies across its end. */
  readonly #wrapped = new Uint8Array(LARGEST_RECORD);
  #position: number;
  #lostInRecords = 0n;

  /** The ring, in memory that is laid out as the kernel lays it out; `event` and `mapping` become the ring's. */
  constructor(
    readonly cpu: number,
    readonly event: OwnedFd,
    mapping: MemoryMapping,
    /** The event counts what it loses (PERF_FORMAT_LOST). */
    private readonly countsLosses: boolean,
  ) {
    const page = pageBytes();
    this.#mapping = mapping;
    this.#head = new RingPosition(mapping.buffer, HEAD_OFFSET);
    this.#tail = new RingPosition(mapping.buffer, TAIL_OFFSET);
    this.#data = new Uint8Array(mapping.buffer, page);
    this.#words = new Uint32Array(mapping.buffer, page);
    this.#position = this.#tail.load();
  }

  /** @throws VespidError RING_SIZE_INVALID, KERNEL_PERMISSION, KERNEL_CALL_FAILED */
  static open(cpu: number, dataBytes: number, wakeup: PerfWakeup): PerfRing {
    const page = pageBytes();
    if (dataBytes < page || dataBytes > LARGEST_RING || (dataBytes & (dataBytes - 1)) !== 0) {
      throw new VespidError(
        'RING_SIZE_INVALID',
        `perf buffer: expected a power of two from ${page} to ${LARGEST_RING} bytes for each CPU, got ${dataBytes}`,
      );
    }
    const { event, countsLosses } = openOutputEvent(cpu, wakeup);
    let mapping: MemoryMapping;
    try {
      mapping = mapMemory(event.fd, page + dataBytes, 0, true);
    } catch (error) {
      event.close();
      throw error;
    }
    return new PerfRing(cpu, event, mapping, countsLosses);
  }

  enable(): void {
    enablePerfEvent(this.event);
  }

  /**
   * Hands on at most `most` records and frees their room, also when the taker throws. After a call of the taker it
   * touches no memory once `isClosed` says that this ring was disposed of.
   */
  drain(most: number, onRecord: RecordLease, isClosed: () => boolean): number {
    const start = this.#position;
    const head = this.#head.load();
    let count = 0;
    try {
      while (count < most && this.#position !== head) {
        if (this.#takeOne(onRecord)) count++;
        if (isClosed()) return count;
      }
    } finally {
      if (this.#position !== start && !isClosed()) this.#tail.advance(start, this.#position);
    }
    return count;
  }

  /** Steps over one record; true when it was a sample and was handed on. */
  #takeOne(onRecord: RecordLease): boolean {
    const at = this.#position & (this.#data.byteLength - 1);
    const type = this.#word(at);
    // The size is the upper half of the second word: u32 type, u16 misc, u16 size.
    const size = this.#word(at + 4) >>> 16;
    this.#position = (this.#position + size) | 0;
    if (type === RECORD.lost) this.#lostInRecords += BigInt(this.#word(at + HEADER_BYTES + 8));
    if (type !== RECORD.sample) return false;
    this.#lease(at + SAMPLE_HEADER_BYTES, this.#word(at + HEADER_BYTES), onRecord);
    return true;
  }

  #lease(start: number, byteLength: number, onRecord: RecordLease): void {
    const size = this.#data.byteLength;
    const from = start & (size - 1);
    if (from + byteLength <= size) {
      onRecord(this.#data, from, byteLength);
      return;
    }
    const first = size - from;
    for (let index = 0; index < byteLength; index++) {
      this.#wrapped[index] = this.#data[index < first ? from + index : index - first] ?? 0;
    }
    onRecord(this.#wrapped, 0, byteLength);
  }

  #word(byteOffset: number): number {
    return this.#words[(byteOffset & (this.#data.byteLength - 1)) >>> 2] ?? 0;
  }

  /** Samples that found no room since the ring was opened. */
  lost(): bigint {
    if (!this.countsLosses) return this.#lostInRecords;
    // `struct { u64 value; u64 lost; }` by PERF_FORMAT_LOST alone.
    const counters = new BigUint64Array(2);
    readSync(this.event.fd, counters);
    return counters[1] ?? 0n;
  }

  [Symbol.dispose](): void {
    this.#mapping[Symbol.dispose]();
    this.event.close();
  }
}

/** From Linux 6.0 the event counts losses itself; before, a loss is known from the record that follows it. */
function openOutputEvent(cpu: number, wakeup: PerfWakeup): { event: OwnedFd; countsLosses: boolean } {
  const config = {
    type: PERF_TYPE.software,
    config: BigInt(PERF_SOFTWARE.bpfOutput),
    sampleType: PERF_SAMPLE_RAW,
    samplePeriod: 1n,
    ...('bytes' in wakeup
      ? { wakeup: wakeup.bytes, isWatermark: true }
      : { wakeup: wakeup.records, isWatermark: false }),
  };
  const subject = `the perf buffer of CPU ${cpu}`;
  try {
    const event = openPerfEvent({ ...config, readFormat: PERF_FORMAT_LOST }, { cpu }, subject);
    return { event, countsLosses: true };
  } catch (error) {
    if (!(error instanceof VespidError) || error.details?.['errnoName'] !== 'EINVAL') throw error;
    return { event: openPerfEvent(config, { cpu }, subject), countsLosses: false };
  }
}

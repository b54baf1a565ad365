import { VespidError } from '../../errors/index.js';
import type { BpfMap } from '../maps/map.js';
import { type Readiness, whenReadable } from '../system/libc.js';
import { ResourceStack } from '../system/resource-stack.js';
import { RecordStream } from './record-stream.js';
import { RECORD_HEADER, RingMemory } from './ring-memory.js';

/**
 * Takes one record: `byteLength` bytes of `memory` from `byteOffset`. `memory` is the ring itself and the same object
 * at every call; the range is the caller's until the function returns, and may then be overwritten.
 */
export type RecordLease = (memory: Uint8Array<ArrayBuffer>, byteOffset: number, byteLength: number) => void;

export interface RingBufferOptions {
  /** With false nothing is watched on the event loop: the owner calls {@link RingBuffer.drain}. Default true. */
  readonly poll?: boolean;
}

/** Where a ring stands, in bytes since it was made. */
export interface RingState {
  readonly byteLength: number;
  readonly consumerPosition: bigint;
  readonly producerPosition: bigint;
  /** Written or reserved, and not yet consumed; with the headers. */
  readonly usedBytes: number;
  /** The next record is reserved and not submitted yet: nothing behind it can be read until it is. */
  readonly isBusy: boolean;
}

/** Records taken in one turn of the event loop, so that a flood cannot starve timers and sinks. */
const RECORDS_PER_TURN = 4096;
/** Room is given back at least this often, counted in bytes: a store that other processors see costs as much as three records. */
const RELEASE_BYTES = 4096;

/**
 * Reads a record's header before its data. Where the machine may do two loads in either order that takes an atomic
 * load, which costs as much as all the rest of a record. x86-64 never does (Intel SDM volume 3, 9.2.2), nor does V8
 * move a load before a branch that depends on the one in front of it.
 */
const loadHeader: (headers: Int32Array, index: number) => number =
  process.arch === 'x64'
    ? (headers, index) => headers[index] ?? 0
    : (headers, index) => Atomics.load(headers, index);

/**
 * The consumer of a BPF ring buffer. The memory is mapped once and read with typed arrays: a record costs no call into
 * C, no copy, and allocates nothing. A record that found no room is the program's to count, for only
 * `bpf_ringbuf_output` and `bpf_ringbuf_reserve` learn of it.
 */
export class RingBuffer implements Disposable {
  readonly #memory: RingMemory;
  readonly #readiness: Readiness | undefined;
  /** Low word of the position up to which records were taken; up to `#released` the kernel knows. */
  #position: number;
  #released: number;
  #isDraining = false;
  #closed = false;

  /** @throws VespidError MAP_INCOMPATIBLE, RING_SIZE_INVALID, KERNEL_CALL_FAILED */
  constructor(
    map: BpfMap,
    private readonly onRecord: RecordLease,
    options: RingBufferOptions = {},
  ) {
    using resources = new ResourceStack();
    this.#memory = resources.use(new RingMemory(map, 'ringbuf'));
    this.#position = this.#memory.consumer.load();
    this.#released = this.#position;
    if (options.poll !== false) {
      this.#readiness = whenReadable(map.fd, () => this.drain(RECORDS_PER_TURN));
    }
    resources.move();
  }

  /** The copying form: each record as an array of its own, which the receiver may keep. */
  static copying(
    map: BpfMap,
    onRecord: (record: Uint8Array<ArrayBuffer>) => void,
    options: RingBufferOptions = {},
  ): RingBuffer {
    return new RingBuffer(
      map,
      (memory, byteOffset, byteLength) => onRecord(memory.slice(byteOffset, byteOffset + byteLength)),
      options,
    );
  }

  /** The copying form as an async iterator: a record stays in the ring until it is asked for. */
  static stream(map: BpfMap): RecordStream<Uint8Array<ArrayBuffer>> {
    const taken: Uint8Array<ArrayBuffer>[] = [];
    const ring = RingBuffer.copying(map, (record) => taken.push(record), { poll: false });
    return new RecordStream({
      fds: [map.fd],
      take() {
        ring.drain(1);
        return taken.pop();
      },
      [Symbol.dispose]: () => ring[Symbol.dispose](),
    });
  }

  /**
   * Hands every record that is ready to the taker, at most `most`, and frees their room for the kernel. What the taker
   * throws comes out here; the record that it threw at counts as taken.
   *
   * @returns the number of records handed on
   */
  drain(most = Number.POSITIVE_INFINITY): number {
    if (this.#closed || this.#isDraining) return 0;
    this.#isDraining = true;
    try {
      return this.#drain(most);
    } finally {
      this.#isDraining = false;
      if (!this.#closed) this.#release(this.#position);
    }
  }

  #drain(most: number): number {
    const { producer, headers, data, byteLength: dataBytes } = this.#memory;
    const onRecord = this.onRecord;
    let position = this.#position;
    let end = producer.load();
    let count = 0;
    try {
      while (count < most) {
        if (position === end) {
          end = producer.load();
          if (position === end) break;
        }
        const at = position & (dataBytes - 1);
        const header = loadHeader(headers, at >>> 2);
        // The busy bit is the sign.
        if (header < 0) break;
        const byteLength = header & RECORD_HEADER.length;
        position = (position + ((byteLength + RECORD_HEADER.bytes + 7) & ~7)) | 0;
        if ((header & RECORD_HEADER.discard) === 0) {
          count++;
          onRecord(data, at + RECORD_HEADER.bytes, byteLength);
          // The taker may have disposed of this ring, and then its memory is no longer there.
          if (this.#closed) break;
        }
        if (((position - this.#released) | 0) >= RELEASE_BYTES) this.#release(position);
      }
    } finally {
      this.#position = position;
    }
    return count;
  }

  /** Tells the kernel that everything up to here may be overwritten. */
  #release(position: number): void {
    if (this.#released === position) return;
    this.#memory.consumer.advance(this.#released, position);
    this.#released = position;
  }

  /** Stops watching: records stay in the ring, and when it is full the program's output fails. */
  pause(): void {
    this.#readiness?.pause();
  }

  resume(): void {
    if (!this.#closed) this.#readiness?.resume();
  }

  /** @throws VespidError INTERNAL once it is disposed of */
  state(): RingState {
    if (this.#closed) throw new VespidError('INTERNAL', 'this ring buffer is closed');
    const { consumer, producer, headers, byteLength } = this.#memory;
    const consumerPosition = consumer.loadWhole();
    const producerPosition = producer.loadWhole();
    const usedBytes = Number(producerPosition - consumerPosition);
    const at = Number(consumerPosition & BigInt(byteLength - 1));
    const isBusy = usedBytes > 0 && Atomics.load(headers, at >>> 2) < 0;
    return { byteLength, consumerPosition, producerPosition, usedBytes, isBusy };
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#readiness?.close();
    this.#memory[Symbol.dispose]();
  }
}

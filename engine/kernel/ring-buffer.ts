import { VespidError } from '../errors/index.js';
import { mapMemory, pageBytes, whenReadable } from './libc.js';
import type { BpfMap } from './map.js';
import { ResourceStack } from './resource-stack.js';

/** Bits of a record's length word, BPF_RINGBUF_BUSY_BIT and BPF_RINGBUF_DISCARD_BIT. */
const BUSY = 0x8000_0000;
const DISCARD = 0x4000_0000;
const LENGTH_MASK = 0x3fff_ffff;
const HEADER_BYTES = 8;
/** Stands for a record that its program reserved and then discarded. */
const DISCARDED = new Uint8Array(0);
/** Records taken in one turn of the event loop, so that a flood cannot starve timers and sinks. */
const RECORDS_PER_TURN = 4096;

/**
 * The consumer of a BPF ring buffer (kernel Documentation/bpf/ringbuf.rst): the memory is mapped once and read
 * with typed arrays, so a record costs no call into C. The data pages are mapped twice in a row by the kernel, so
 * that a record is always one contiguous range.
 */
export class RingBuffer implements Disposable {
  readonly #resources: ResourceStack;
  readonly #consumerPosition: BigUint64Array<ArrayBuffer>;
  readonly #producerPosition: BigUint64Array<ArrayBuffer>;
  readonly #lengths: Int32Array<ArrayBuffer>;
  readonly #data: Uint8Array;
  readonly #dataBytes: number;
  /** Room is given back to the kernel in steps of this many bytes, not at every record. */
  readonly #releaseEvery: number;
  #position: number;
  #released: number;
  #end = 0;
  #closed = false;

  /**
   * @param onRecord gets a view into the ring that is valid during the call only
   * @param options with `poll: false` nothing is watched on the event loop: the caller drains by hand
   * @throws VespidError KERNEL_CALL_FAILED
   */
  constructor(
    map: BpfMap,
    private readonly onRecord: (record: Uint8Array) => void,
    options: { readonly poll: boolean } = { poll: true },
  ) {
    const dataBytes = map.definition.maxEntries;
    const page = pageBytes();
    if (dataBytes === 0 || dataBytes % page !== 0 || (dataBytes & (dataBytes - 1)) !== 0) {
      throw new VespidError('INTERNAL', `a ring buffer has a power of two pages, not ${dataBytes} bytes`);
    }
    this.#dataBytes = dataBytes;
    this.#releaseEvery = dataBytes / 8;
    using resources = new ResourceStack();
    const consumer = resources.use(mapMemory(map.fd, page, 0, true)).buffer;
    const producer = resources.use(mapMemory(map.fd, page + 2 * dataBytes, page, false)).buffer;
    this.#consumerPosition = new BigUint64Array(consumer, 0, 1);
    this.#producerPosition = new BigUint64Array(producer, 0, 1);
    this.#lengths = new Int32Array(producer, page);
    this.#data = new Uint8Array(producer, page);
    this.#position = Number(this.#consumerPosition[0]);
    this.#released = this.#position;
    if (options.poll) {
      const readiness = whenReadable(map.fd, () => this.drain(RECORDS_PER_TURN));
      resources.use({ [Symbol.dispose]: () => readiness.close() });
    }
    this.#resources = resources.move();
  }

  /**
   * Hands every record that is ready to `onRecord`, at most `most`, and frees its room for the kernel.
   *
   * @returns the number of records handed on
   */
  drain(most = Number.POSITIVE_INFINITY): number {
    if (this.#closed) return 0;
    let count = 0;
    try {
      while (count < most) {
        const record = this.#next();
        if (record === undefined) break;
        if (record !== DISCARDED) {
          this.onRecord(record);
          count++;
        }
        if (this.#position - this.#released >= this.#releaseEvery) this.#release();
      }
    } finally {
      this.#release();
    }
    return count;
  }

  /** The next record that is ready, and steps over it; undefined when there is none. */
  #next(): Uint8Array | undefined {
    if (this.#position >= this.#end) {
      // Positions count bytes since the start; a double holds them exactly up to 2^53, 8 petabytes of events.
      this.#end = Number(Atomics.load(this.#producerPosition, 0));
      if (this.#position >= this.#end) return undefined;
    }
    const at = this.#position % this.#dataBytes;
    const header = Atomics.load(this.#lengths, at / 4);
    if ((header & BUSY) !== 0) return undefined;
    const byteLength = header & LENGTH_MASK;
    this.#position += Math.ceil((byteLength + HEADER_BYTES) / 8) * 8;
    if ((header & DISCARD) !== 0) return DISCARDED;
    return this.#data.subarray(at + HEADER_BYTES, at + HEADER_BYTES + byteLength);
  }

  /** Tells the kernel that everything up to here may be overwritten. */
  #release(): void {
    if (this.#released === this.#position) return;
    this.#released = this.#position;
    Atomics.store(this.#consumerPosition, 0, BigInt(this.#position));
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#resources[Symbol.dispose]();
  }
}

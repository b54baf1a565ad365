import { VespidError } from '../../errors/index.js';
import type { BpfMap } from '../maps/map.js';
import { RECORD_HEADER, RingMemory } from './ring-memory.js';

/** Room in a user ring buffer that was reserved: written, then submitted or discarded, in any order. */
export interface ReservedRecord {
  /** The room itself, in the ring: not to be touched after `submit` or `discard`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Hands the record to the program's next drain. */
  submit(): void;
  /** Gives the room up: the program's drain steps over it. */
  discard(): void;
}

/**
 * The producer of a BPF_MAP_TYPE_USER_RINGBUF (Linux 6.1): records from this process to a program that calls
 * `bpf_user_ringbuf_drain`. The kernel wakes nobody: a program drains it when it runs.
 */
export class UserRingBuffer implements Disposable {
  readonly #memory: RingMemory;
  #position: number;
  #closed = false;

  /** @throws VespidError MAP_INCOMPATIBLE, RING_SIZE_INVALID, KERNEL_CALL_FAILED */
  constructor(map: BpfMap) {
    this.#memory = new RingMemory(map, 'userRingbuf');
    this.#position = this.#memory.producer.load();
  }

  /** Bytes that are free now, of which a record takes its own rounded up to 8, and 8. */
  get freeBytes(): number {
    this.#checkOpen();
    return this.#memory.byteLength - ((this.#position - this.#memory.consumer.load()) | 0);
  }

  /**
   * Reserves room for a record of `byteLength` bytes.
   *
   * @returns undefined when the ring is too full just now: try again when a program has drained
   * @throws VespidError RECORD_SIZE_INVALID when no ring of this size could ever hold it
   */
  reserve(byteLength: number): ReservedRecord | undefined {
    const { data, headers, producer } = this.#memory;
    const total = (byteLength + RECORD_HEADER.bytes + 7) & ~7;
    if (!Number.isInteger(byteLength) || byteLength < 0 || total > this.#memory.byteLength) {
      throw new VespidError(
        'RECORD_SIZE_INVALID',
        `expected a record of 0 to ${this.#memory.byteLength - RECORD_HEADER.bytes} bytes, got ${byteLength}`,
      );
    }
    if (total > this.freeBytes) return undefined;
    const at = this.#position & (this.#memory.byteLength - 1);
    const start = at + RECORD_HEADER.bytes;
    // Busy first, then the position: the kernel must never see a header of an older turn as this one's.
    Atomics.store(headers, (at >>> 2) + 1, 0);
    Atomics.store(headers, at >>> 2, byteLength | RECORD_HEADER.busy);
    producer.advance(this.#position, (this.#position + total) | 0);
    this.#position = (this.#position + total) | 0;
    let isOpen = true;
    const finish = (header: number) => {
      if (!isOpen) throw new VespidError('INTERNAL', 'a record was submitted or discarded twice');
      isOpen = false;
      this.#checkOpen();
      Atomics.store(headers, at >>> 2, header);
    };
    return {
      bytes: data.subarray(start, start + byteLength),
      submit: () => finish(byteLength),
      discard: () => finish(byteLength | RECORD_HEADER.discard),
    };
  }

  /**
   * Copies a whole record into the ring.
   *
   * @returns false when the ring is too full just now
   * @throws VespidError RECORD_SIZE_INVALID
   */
  output(record: Uint8Array): boolean {
    const reserved = this.reserve(record.byteLength);
    if (reserved === undefined) return false;
    reserved.bytes.set(record);
    reserved.submit();
    return true;
  }

  #checkOpen(): void {
    if (this.#closed) throw new VespidError('INTERNAL', 'this user ring buffer is closed');
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#memory[Symbol.dispose]();
  }
}

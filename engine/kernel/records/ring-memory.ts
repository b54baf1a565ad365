import { MAP_TYPE } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import type { BpfMap } from '../maps/map.js';
import { mapMemory, pageBytes } from '../system/libc.js';
import { ResourceStack } from '../system/resource-stack.js';
import { LARGEST_RING, RingPosition } from './ring-position.js';

/** BPF_RINGBUF_BUSY_BIT, BPF_RINGBUF_DISCARD_BIT and what is left of a record's length word; BPF_RINGBUF_HDR_SZ. */
export const RECORD_HEADER = { busy: 0x8000_0000 | 0, discard: 0x4000_0000, length: 0x3fff_ffff, bytes: 8 };

/**
 * The memory of a BPF ring buffer (Documentation/bpf/ringbuf.rst): the consumer's page, the producer's page and the
 * data, which is mapped twice in a row so that a record is always one contiguous range.
 */
export class RingMemory implements Disposable {
  readonly consumer: RingPosition;
  readonly producer: RingPosition;
  /** The data twice: offsets from 0 to twice {@link byteLength}. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** The same as words: the header of the record at offset n is word n / 4. */
  readonly headers: Int32Array<ArrayBuffer>;
  readonly byteLength: number;
  readonly #resources: ResourceStack;

  /**
   * @param kind what is written: the consumer's position of a `ringbuf`, all but that of a `userRingbuf`
   * @throws VespidError MAP_INCOMPATIBLE, RING_SIZE_INVALID, KERNEL_CALL_FAILED
   */
  constructor(map: BpfMap, kind: 'ringbuf' | 'userRingbuf') {
    const { name, type, maxEntries } = map.definition;
    const page = pageBytes();
    if (type !== MAP_TYPE[kind]) {
      throw new VespidError('MAP_INCOMPATIBLE', `map ${name} is of type ${type}, and not a ${kind}`);
    }
    if (maxEntries < page || maxEntries > LARGEST_RING || (maxEntries & (maxEntries - 1)) !== 0) {
      throw new VespidError(
        'RING_SIZE_INVALID',
        `ring buffer ${name}: expected a power of two from ${page} to ${LARGEST_RING} bytes, got ${maxEntries}`,
      );
    }
    // Who produces maps the producer's position and the data writable, the kernel refuses the other page.
    const isProducer = kind === 'userRingbuf';
    using resources = new ResourceStack();
    const consumer = resources.use(mapMemory(map.fd, page, 0, !isProducer)).buffer;
    const producer = resources.use(mapMemory(map.fd, page + 2 * maxEntries, page, isProducer)).buffer;
    this.consumer = new RingPosition(consumer, 0);
    this.producer = new RingPosition(producer, 0);
    this.data = new Uint8Array(producer, page);
    this.headers = new Int32Array(producer, page);
    this.byteLength = maxEntries;
    this.#resources = resources.move();
  }

  [Symbol.dispose](): void {
    this.#resources[Symbol.dispose]();
  }
}

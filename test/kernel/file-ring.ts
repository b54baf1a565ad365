import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { MAP_TYPE } from '../../engine/bytecode/index.js';
import { BpfMap } from '../../engine/kernel/index.js';

const PAGE = 4096;

/**
 * The memory of a BPF ring buffer in a file: the consumer's page, the producer's page, and the data twice, which
 * the kernel maps and here is written.
 */
export class FileRing {
  readonly #fd: number;
  #producer: number;

  constructor(
    path: string,
    startPosition = 0,
    private readonly dataBytes = PAGE,
  ) {
    this.#fd = openSync(path, 'w+');
    this.#producer = startPosition;
    writeSync(this.#fd, Buffer.alloc(2 * PAGE + 2 * dataBytes), 0, undefined, 0);
    this.#writePosition(0, startPosition);
    this.#writePosition(PAGE, startPosition);
  }

  /** Appends a record and gives the place of its header. */
  append(text: string, flags = 0): number {
    const at = this.#producer;
    const record = Buffer.alloc(Math.ceil((8 + text.length) / 8) * 8);
    record.write(text, 8, 'latin1');
    this.#writeData(at, record);
    this.setHeader(at, text.length, flags);
    this.#producer += record.length;
    this.#writePosition(PAGE, this.#producer);
    return at;
  }

  setHeader(at: number, byteLength: number, flags: number): void {
    const header = Buffer.alloc(4);
    header.writeUInt32LE((byteLength | flags) >>> 0);
    this.#writeData(at, header);
  }

  consumerPosition(): number {
    const bytes = Buffer.alloc(8);
    readSync(this.#fd, bytes, 0, 8, 0);
    return Number(bytes.readBigUInt64LE());
  }

  /** Fills the whole ring with records of 56 bytes; gives their number. Positions must be whole turns of the ring. */
  fill(): number {
    const recordBytes = 64;
    const count = this.dataBytes / recordBytes;
    const data = Buffer.alloc(this.dataBytes);
    for (let index = 0; index < count; index++) data.writeUInt32LE(recordBytes - 8, index * recordBytes);
    for (const copy of [0, 1]) writeSync(this.#fd, data, 0, undefined, 2 * PAGE + copy * this.dataBytes);
    this.#producer += this.dataBytes;
    this.#writePosition(PAGE, this.#producer);
    return count;
  }

  map(maxEntries = this.dataBytes): BpfMap {
    return new BpfMap(this.#fd, {
      name: 'ring',
      type: MAP_TYPE.ringbuf,
      keySize: 0,
      valueSize: 0,
      maxEntries,
      flags: 0,
    });
  }

  close(): void {
    closeSync(this.#fd);
  }

  #writePosition(at: number, value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    writeSync(this.#fd, bytes, 0, 8, at);
  }

  #writeData(position: number, bytes: Buffer): void {
    for (const [index, byte] of bytes.entries()) {
      const at = (position + index) % this.dataBytes;
      for (const copy of [0, this.dataBytes])
        writeSync(this.#fd, Buffer.of(byte), 0, 1, 2 * PAGE + copy + at);
    }
  }
}

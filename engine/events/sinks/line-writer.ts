import { write } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { EncodedEvent } from './event-queue.js';

const writeBytes = promisify(write);

/** How often a full pipe is asked again, doubled up to the maximum. */
const FULL_PIPE_WAIT_MS = { initial: 1, max: 50 } as const;

/**
 * Appends events to a file descriptor, one a line. After a failure in the middle of a batch it goes on at the very
 * byte where it stopped, so that no line is torn or doubled.
 */
export class LineWriter {
  readonly #fd: number;
  #firstBytes: string;
  #batch: readonly EncodedEvent[] | undefined;
  #rest: Buffer = Buffer.alloc(0);

  /** @param firstBytes written before the first event */
  constructor(fd: number, firstBytes = '') {
    this.#fd = fd;
    this.#firstBytes = firstBytes;
  }

  /** For {@link DeliveryOptions.deliver}: a repeated array means that the rest of it is to be written. */
  async deliver(batch: readonly EncodedEvent[], signal: AbortSignal): Promise<number> {
    if (batch !== this.#batch) {
      this.#batch = batch;
      this.#rest = Buffer.from(`${this.#firstBytes}${batch.map(({ json }) => json).join('\n')}\n`);
      this.#firstBytes = '';
    }
    let waitMs: number = FULL_PIPE_WAIT_MS.initial;
    while (this.#rest.length > 0) {
      signal.throwIfAborted();
      const byteLength = await this.#writeSome();
      this.#rest = this.#rest.subarray(byteLength);
      if (byteLength > 0) {
        waitMs = FULL_PIPE_WAIT_MS.initial;
        continue;
      }
      await sleep(waitMs, undefined, { signal });
      waitMs = Math.min(waitMs * 2, FULL_PIPE_WAIT_MS.max);
    }
    this.#batch = undefined;
    return batch.length;
  }

  /** 0 if the pipe is full. */
  async #writeSome(): Promise<number> {
    try {
      return (await writeBytes(this.#fd, this.#rest, 0, this.#rest.length, null)).bytesWritten;
    } catch (error) {
      if (errnoOf(error) === 'EAGAIN') return 0;
      throw error;
    }
  }
}

/** `ENOSPC` and the like, or undefined for an error that is not of a system call. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

import { type Readiness, whenReadable } from '../system/libc.js';
import { ResourceStack } from '../system/resource-stack.js';

/** Where records come from: one at a time, as a copy. */
export interface RecordSource<Item> extends Disposable {
  /** The next record, taken out of the ring; undefined when none is ready. */
  take(): Item | undefined;
  /** Descriptors of which one becomes readable when there may be more. */
  readonly fds: readonly number[];
}

/**
 * Records as an async iterator. A record leaves the ring only when it is asked for, so a slow reader fills the
 * ring and not this process's memory; what then finds no room, its program counts. Reading it to the end, breaking out
 * of a `for await`, or disposing closes the source.
 */
export class RecordStream<Item> implements AsyncIterableIterator<Item>, Disposable {
  #waiting: ((result: IteratorResult<Item>) => void) | undefined;
  readonly #readiness: Readiness[];
  #closed = false;

  constructor(private readonly source: RecordSource<Item>) {
    using resources = new ResourceStack();
    resources.use(source);
    this.#readiness = source.fds.map((fd) => {
      const readiness = whenReadable(fd, () => this.#onReadable());
      resources.use({ [Symbol.dispose]: () => readiness.close() });
      return readiness;
    });
    this.#watch(false);
    resources.move();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** One call at a time, as `for await` does it. */
  next(): Promise<IteratorResult<Item>> {
    if (this.#closed) return Promise.resolve({ done: true, value: undefined });
    const value = this.source.take();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#watch(true);
    });
  }

  return(): Promise<IteratorResult<Item>> {
    this[Symbol.dispose]();
    return Promise.resolve({ done: true, value: undefined });
  }

  #onReadable(): void {
    if (this.#waiting === undefined) return;
    const value = this.source.take();
    if (value !== undefined) this.#settle({ done: false, value });
  }

  #settle(result: IteratorResult<Item>): void {
    const settle = this.#waiting;
    this.#waiting = undefined;
    this.#watch(false);
    settle?.(result);
  }

  #watch(isWanted: boolean): void {
    for (const each of this.#readiness) isWanted ? each.resume() : each.pause();
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#settle({ done: true, value: undefined });
    for (const each of this.#readiness) each.close();
    this.source[Symbol.dispose]();
  }
}

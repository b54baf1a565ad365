import { VespidError } from '../../errors/index.js';
import { closeFd, duplicateFd } from './libc.js';

/** A file descriptor with one owner: closed once, by `using`, `dispose` or {@link OwnedFd.close}. */
export class OwnedFd implements Disposable {
  readonly #fd: number;
  #open = true;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Once it is closed the kernel gives the number to another object: a lookup by it would go by that object's sizes,
   * into a buffer that was made by this one's.
   *
   * @throws VespidError KERNEL_OBJECT_CLOSED when this owner has closed it or handed it on
   */
  get fd(): number {
    if (this.#open) return this.#fd;
    throw new VespidError('KERNEL_OBJECT_CLOSED', 'this object of the kernel was used after it was closed', {
      hint: 'keep its owner open for as long as it is used',
    });
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** Another descriptor of the same, which outlives this one. @throws VespidError KERNEL_* */
  duplicate(): OwnedFd {
    return new OwnedFd(duplicateFd(this.fd));
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeFd(this.#fd);
  }

  /**
   * Hands the descriptor to a new owner: this one closes it no more.
   *
   * @throws VespidError KERNEL_OBJECT_CLOSED
   */
  release(): number {
    const { fd } = this;
    this.#open = false;
    return fd;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

import { closeFd } from './libc.js';

/** A file descriptor with one owner: closed once, by `using`, `dispose` or {@link OwnedFd.close}. */
export class OwnedFd implements Disposable {
  #open = true;

  constructor(readonly fd: number) {}

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    closeFd(this.fd);
  }

  /** Hands the descriptor to a new owner: this one closes it no more. */
  release(): number {
    this.#open = false;
    return this.fd;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

import { constants, openSync } from 'node:fs';
import { VespidError } from '../../errors/index.js';
import { enterNetwork, interfaceIndexOf, kernelCallError, unshareNetwork } from './libc.js';
import { OwnedFd } from './owned-fd.js';

const CURRENT = '/proc/thread-self/ns/net';

/** A network namespace, open: it lives at least as long as this object. */
export class NetworkNamespace extends OwnedFd {
  /** The namespace behind a path: `/proc/PID/ns/net`, `/run/netns/NAME`. @throws VespidError INPUT_UNREADABLE */
  static open(path: string): NetworkNamespace {
    try {
      return new NetworkNamespace(openSync(path, constants.O_RDONLY));
    } catch (cause) {
      throw new VespidError('INPUT_UNREADABLE', `the network namespace ${path} cannot be opened`, { cause });
    }
  }

  /** That of the calling thread. */
  static current(): NetworkNamespace {
    return NetworkNamespace.open(CURRENT);
  }

  /** A new, empty one, which ends with the last descriptor or process that is in it. */
  static create(): NetworkNamespace {
    using before = NetworkNamespace.current();
    const unshared = unshareNetwork();
    if ('errno' in unshared) throw kernelCallError('unshare', unshared.errno);
    try {
      return NetworkNamespace.current();
    } finally {
      enter(before);
    }
  }

  /**
   * Runs `body` with the calling thread in this namespace: sockets that it opens and interfaces that it names are of
   * this namespace. It must not await anything, for the thread goes back when it returns.
   */
  run<Result>(body: () => Result): Result {
    using before = NetworkNamespace.current();
    enter(this);
    try {
      return body();
    } finally {
      enter(before);
    }
  }
}

function enter(namespace: NetworkNamespace): void {
  const result = enterNetwork(namespace.fd);
  if ('errno' in result) throw kernelCallError('setns', result.errno);
}

/**
 * The index of a network interface of this thread's network namespace.
 *
 * @throws VespidError INTERFACE_NOT_FOUND
 */
export function interfaceIndex(name: string): number {
  const index = interfaceIndexOf(name);
  if (index !== 0) return index;
  throw new VespidError('INTERFACE_NOT_FOUND', `there is no network interface ${name}`, {
    hint: 'list those of this network namespace with `ip link`',
    details: { interface: name },
  });
}

import { spawnSync } from 'node:child_process';
import {
  bringUp,
  interfaceIndex,
  NetworkNamespace,
  type ResourceStack,
  RouteSocket,
} from '../../engine/kernel/index.js';

/** A process of this cgroup and this thread's network namespace that connects to a port where nobody listens. */
export const connectTo = (address: string): string =>
  spawnSync('nc', ['-w', '1', address, '9'], { encoding: 'utf8', input: '' }).stderr;

/** A network namespace with its loopback up. */
export function networkOfOurOwn(resources: ResourceStack): { namespace: NetworkNamespace; loopback: number } {
  const namespace = resources.use(NetworkNamespace.create());
  const loopback = namespace.run(() => {
    using route = RouteSocket.open();
    const index = interfaceIndex('lo');
    bringUp(route, index);
    return index;
  });
  return { namespace, loopback };
}

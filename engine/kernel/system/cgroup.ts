import { constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { VespidError } from '../../errors/index.js';
import { isInitialNamespace } from './initial-namespace.js';
import { OwnedFd } from './owned-fd.js';

/** A cgroup v2 directory, open so that it cannot be replaced under us. */
export class Cgroup extends OwnedFd {
  private constructor(
    readonly path: string,
    fd: number,
    /** The kernel's cgroup id: the inode number of the directory (cgroup_id() of include/linux/cgroup.h). */
    readonly id: bigint,
    /** Depth below the root of the hierarchy, which is 0. */
    readonly level: number,
  ) {
    super(fd);
  }

  /**
   * @throws VespidError CGROUP_NOT_FOUND when the path is not a directory of a cgroup v2 hierarchy,
   *   KERNEL_UNSUPPORTED inside a cgroup namespace, where the true depth of a directory cannot be seen
   */
  static open(path: string): Cgroup {
    if (!isInitialNamespace('cgroup')) {
      throw new VespidError('KERNEL_UNSUPPORTED', 'a cgroup cannot be named from inside a cgroup namespace', {
        hint: 'run in the initial one: on the host, or in a container with the cgroup namespace of the host',
      });
    }
    const root = cgroupRoot();
    const absolute = resolve(path);
    const below = relative(root, absolute);
    if (below.startsWith('..')) {
      throw new VespidError(
        'CGROUP_NOT_FOUND',
        `${path} does not lie in the cgroup v2 hierarchy at ${root}`,
        {
          hint: `name a directory under ${root}`,
        },
      );
    }
    let fd: number;
    try {
      fd = openSync(absolute, constants.O_RDONLY | constants.O_DIRECTORY);
    } catch (cause) {
      throw new VespidError('CGROUP_NOT_FOUND', `there is no cgroup ${path}`, {
        cause,
        hint: `create it with mkdir, or name an existing directory under ${root}`,
      });
    }
    const level = below === '' ? 0 : below.split('/').length;
    return new Cgroup(absolute, fd, fstatSync(fd, { bigint: true }).ino, level);
  }
}

/**
 * Where the cgroup v2 hierarchy is mounted, from /proc/self/mounts.
 *
 * @throws VespidError KERNEL_UNSUPPORTED when it is not mounted
 */
export function cgroupRoot(): string {
  for (const line of readFileSync('/proc/self/mounts', 'utf8').split('\n')) {
    const [, mountPoint, type] = line.split(' ');
    if (type === 'cgroup2' && mountPoint !== undefined) return join(mountPoint);
  }
  throw new VespidError('KERNEL_UNSUPPORTED', 'no cgroup v2 hierarchy is mounted', {
    hint: 'mount one: mount -t cgroup2 none /sys/fs/cgroup',
  });
}

import { closeSync, constants, openSync } from 'node:fs';
import { VespidError } from '../../errors/index.js';
import { createToken } from '../commands/system-commands.js';
import { OwnedFd } from '../system/owned-fd.js';

/**
 * Rights to load BPF objects that a privileged process delegated to a user namespace, by mounting a bpffs there
 * with `delegate_cmds`, `delegate_maps`, `delegate_progs`, `delegate_attachs` (kernel 6.9). Maps, programs and BTF
 * are loaded with it instead of with capabilities.
 *
 * @param bpffsPath where that bpffs is mounted
 * @throws VespidError INPUT_NOT_FOUND, KERNEL_PERMISSION, KERNEL_CALL_FAILED: EOPNOTSUPP in the initial user
 *   namespace, which needs no token; EINVAL on a kernel without tokens, or for a path of another file system
 */
export function openToken(bpffsPath: string): OwnedFd {
  let directory: number;
  try {
    directory = openSync(bpffsPath, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (cause) {
    throw new VespidError('INPUT_NOT_FOUND', `there is no directory ${bpffsPath} to take a token from`, {
      cause,
    });
  }
  try {
    return new OwnedFd(createToken(directory));
  } finally {
    closeSync(directory);
  }
}

import { VespidError } from '../../errors/index.js';
import { bpfError } from '../commands/bpf-command.js';
import { type ObjectFamily, objectIds, openObjectById } from '../commands/object-commands.js';
import { errnoName } from '../system/libc.js';
import { OwnedFd } from '../system/owned-fd.js';

/**
 * BPF_*_GET_FD_BY_ID.
 *
 * @throws VespidError KERNEL_OBJECT_GONE when the kernel has none of that id (any more), KERNEL_PERMISSION
 */
export function openById(family: ObjectFamily, id: number): OwnedFd {
  const result = openObjectById(family, id);
  if ('value' in result) return new OwnedFd(result.value);
  const subject = `${family.toLowerCase()} ${id}`;
  if (errnoName(result.errno) !== 'ENOENT') throw bpfError(`${family}_GET_FD_BY_ID`, result.errno, subject);
  throw new VespidError('KERNEL_OBJECT_GONE', `the kernel has no ${subject}`, { details: { family, id } });
}

/** Opens each object that the kernel has, one after the other; one that goes away meanwhile is passed over. */
export function* openAll(family: ObjectFamily): Generator<{ readonly id: number; readonly fd: OwnedFd }> {
  for (const id of objectIds(family)) {
    const result = openObjectById(family, id);
    if ('value' in result) {
      yield { id, fd: new OwnedFd(result.value) };
    } else if (errnoName(result.errno) !== 'ENOENT') {
      throw bpfError(`${family}_GET_FD_BY_ID`, result.errno, `${family.toLowerCase()} ${id}`);
    }
  }
}

import { errnoName, type SystemCallResult } from '../system/libc.js';
import { OBJECT_ID, OBJECT_INFO, OBJECT_PATH } from './attribute-layout.js';
import { Attributes, cString } from './attributes.js';
import { bpf, bpfError, tryBpf } from './bpf-command.js';

/** What has an id in the kernel. */
export type ObjectFamily = 'PROG' | 'MAP' | 'BTF' | 'LINK';

/** BPF_*_GET_NEXT_ID: the first id above `id`; undefined when there is none. */
export function nextObjectId(family: ObjectFamily, id: number): number | undefined {
  const attributes = new Attributes(12).u32(OBJECT_ID.start_id, id);
  const result = tryBpf(`${family}_GET_NEXT_ID`, attributes);
  if ('value' in result) return attributes.readU32(OBJECT_ID.next_id);
  if (errnoName(result.errno) === 'ENOENT') return undefined;
  throw bpfError(`${family}_GET_NEXT_ID`, result.errno, `the ids behind ${id}`);
}

/** The ids that the kernel has now, ascending; any may be gone a moment later. */
export function* objectIds(family: ObjectFamily): Generator<number, void, undefined> {
  for (let id = nextObjectId(family, 0); id !== undefined; id = nextObjectId(family, id)) yield id;
}

/** BPF_*_GET_FD_BY_ID; the value is a new descriptor, ENOENT when the object is gone. */
export function openObjectById(family: ObjectFamily, id: number, openFlags = 0): SystemCallResult {
  const attributes = new Attributes(12).u32(OBJECT_ID.prog_id, id);
  // The BTF command refuses open_flags, even of 0 bits, beyond its attributes only when they are set.
  if (family === 'MAP') attributes.u32(OBJECT_ID.open_flags, openFlags);
  return tryBpf(`${family}_GET_FD_BY_ID`, attributes);
}

/**
 * BPF_OBJ_GET_INFO_BY_FD: fills `info`, a `struct bpf_*_info` in whose pointers and counts the caller has put
 * buffers. A kernel that knows a shorter struct leaves the rest zero; one that knows a longer cuts it.
 *
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED
 */
export function objectInfo(fd: number, info: Attributes, subject: string): void {
  const attributes = new Attributes(16)
    .u32(OBJECT_INFO.bpf_fd, fd)
    .u32(OBJECT_INFO.info_len, info.bytes.byteLength)
    .pointer(OBJECT_INFO.info, info.bytes);
  bpf('OBJ_GET_INFO_BY_FD', attributes, subject);
  info.letGo();
}

/** BPF_OBJ_PIN: gives the object a name in a bpffs; it lives until that name is removed. */
export function pinObject(fd: number, path: string, subject: string): void {
  const attributes = new Attributes(20)
    .pointer(OBJECT_PATH.pathname, cString(path))
    .u32(OBJECT_PATH.bpf_fd, fd);
  bpf('OBJ_PIN', attributes, `${subject} at ${path}`);
}

/** BPF_OBJ_GET; the value is a new descriptor of whatever is pinned there. */
export function openPinnedObject(path: string, fileFlags = 0): SystemCallResult {
  const attributes = new Attributes(20)
    .pointer(OBJECT_PATH.pathname, cString(path))
    .u32(OBJECT_PATH.file_flags, fileFlags);
  return tryBpf('OBJ_GET', attributes);
}

import { errnoName } from '../system/libc.js';

/** ENOTSUPP of include/linux/errno.h: not in user space's errno.h, but what a type without batches gives. */
const ENOTSUPP = 524;
const UNSUPPORTED: ReadonlySet<string> = new Set(['EINVAL', 'EOPNOTSUPP', 'ENOTSUP']);

/** Whether a batch command failed for want of support: of the type, or of the kernel (before 5.6). */
export function isUnsupportedBatch(errno: number): boolean {
  return errno === ENOTSUPP || UNSUPPORTED.has(errnoName(errno));
}

import { VespidError } from '../../errors/index.js';

/** Whether an error is the kernel's refusal with one of these error numbers: `EINVAL`. */
export function isRefusedWith(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof VespidError && names.includes(String(error.details?.['errnoName']));
}

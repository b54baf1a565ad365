import { readFileSync } from 'node:fs';
import { VespidError } from '../errors/index.js';

/** Capabilities of linux/capability.h by bit. */
const CAP_SYS_ADMIN = 21n;
const CAP_BPF = 39n;

/**
 * Loading BPF needs root or capabilities; to say so first is clearer than the kernel's EPERM.
 *
 * @throws VespidError KERNEL_PERMISSION
 */
export function requirePrivileges(effective = effectiveCapabilities()): void {
  const has = (bit: bigint) => ((effective >> bit) & 1n) === 1n;
  if (has(CAP_SYS_ADMIN) || has(CAP_BPF)) return;
  throw new VespidError(
    'KERNEL_PERMISSION',
    'loading BPF programs needs privileges that this process does not have',
    {
      hint: 'run as root, or with CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN',
    },
  );
}

/** CapEff of /proc/self/status, a hexadecimal mask. */
function effectiveCapabilities(): bigint {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return BigInt(`0x${mask ?? '0'}`);
}

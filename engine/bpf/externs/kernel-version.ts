import { readFileSync } from 'node:fs';
import { release, version } from 'node:os';

/** Debian's release names the ABI (`6.1.0-28`), its uname version the kernel (`#1 SMP Debian 6.1.119-1`). */
const DEBIAN = /Debian (\d+)\.(\d+)\.(\d+)/;
/** Ubuntu's file holds `Ubuntu 5.15.0-25.25-generic 5.15.30`: the last is the mainline kernel. */
const UBUNTU = / (\d+)\.(\d+)\.(\d+)\s*$/;
const PLAIN = /^(\d+)\.(\d+)(?:\.(\d+))?/;

/** `KERNEL_VERSION(a, b, c)` of the running kernel (linux/version.h), as programs compare LINUX_KERNEL_VERSION. */
export function kernelVersionCode(): number {
  return versionCode({ release: release(), version: version(), ubuntuSignature: ubuntuSignature() });
}

/** What a machine says about its kernel; `ubuntuSignature` is empty elsewhere. */
export interface KernelNames {
  /** `uname -r` */
  readonly release: string;
  /** `uname -v` */
  readonly version: string;
  readonly ubuntuSignature: string;
}

export function versionCode(names: KernelNames): number {
  const match =
    UBUNTU.exec(names.ubuntuSignature) ?? DEBIAN.exec(names.version) ?? PLAIN.exec(names.release) ?? [];
  const [major = 0, minor = 0, patch = 0] = match.slice(1).map((part) => Number(part ?? 0));
  // The patch level has one byte since 4.9.256.
  return major * 65_536 + minor * 256 + Math.min(patch, 255);
}

function ubuntuSignature(): string {
  try {
    return readFileSync('/proc/version_signature', 'utf8');
  } catch {
    return '';
  }
}

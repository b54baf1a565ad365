import { join, resolve } from 'node:path';
import { DebianPackages } from './debian-packages.js';
import { KERNEL_FORM, moduleFiles } from './guest-modules.js';
import type { GuestFile } from './guest-programs.js';
import { baseImage, buildInitramfs } from './initramfs.js';
import { KERNELS, type KernelName } from './kernels.js';
import type { GuestMessage, GuestRequest } from './protocol.js';
import { type BootResult, boot } from './virtual-machine.js';

export const PROJECT_ROOT = resolve(import.meta.dirname, '../../..');
const CACHE_DIRECTORY = join(PROJECT_ROOT, '.cache', 'vm');

export interface GuestRun {
  readonly request: GuestRequest;
  /** What the guest needs besides the project. */
  readonly files?: readonly GuestFile[];
  /** Takes the initramfs and the console's log. */
  readonly workDirectory: string;
  /** Boot included. */
  readonly timeoutMs: number;
  readonly onMessage: (message: GuestMessage) => void;
}

/** Debian's kernels as guests: their packages, the image that they share, and one boot of one of them. */
export class Guests {
  readonly packages: DebianPackages;
  readonly #baseImage: string;

  constructor(log: (line: string) => void) {
    this.packages = new DebianPackages(CACHE_DIRECTORY, log);
    const busybox = join(this.packages.unpack('busybox-static'), 'bin', 'busybox');
    this.#baseImage = baseImage(CACHE_DIRECTORY, PROJECT_ROOT, busybox, log);
  }

  /** The unpacked package of a kernel. */
  kernelDirectory(kernel: KernelName): string {
    return this.packages.unpack(this.packages.newestMatching(KERNELS[kernel].packagePattern), KERNEL_FORM);
  }

  /** Boots a guest and resolves when it is off. */
  async run({ request, files = [], workDirectory, timeoutMs, onMessage }: GuestRun): Promise<BootResult> {
    const kernelDirectory = this.kernelDirectory(request.kernel);
    const initramfs = join(workDirectory, `${request.kernel}.cpio`);
    buildInitramfs(initramfs, this.#baseImage, PROJECT_ROOT, kernelDirectory, request, [
      ...moduleFiles(kernelDirectory),
      ...files,
    ]);
    const consoleLog = join(workDirectory, `${request.kernel}.console`);
    return await boot({ kernelDirectory, initramfs, consoleLog, timeoutMs, onMessage });
  }
}

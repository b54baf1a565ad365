import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Offsets in the header of an x86 boot image (Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header"). */
const BOOT_HEADER = {
  setupSectors: 0x1f1,
  magic: 0x202,
  payloadOffset: 0x248,
  payloadLength: 0x24c,
} as const;
/** "HdrS" */
const BOOT_MAGIC = 0x53726448;
const SECTOR_BYTES = 512;
/** The build appends the unpacked size to the payload (scripts/Makefile.lib, size_append). */
const SIZE_SUFFIX_BYTES = 4;
const ZSTD_MAGIC = 0xfd2fb528;
/** An unpacked kernel has some 60 MB. */
const MAX_KERNEL_BYTES = 512 * 1024 * 1024;

/** The ELF file `vmlinux`, without debug information but with its BTF, from a boot image that zstd packed. */
export function unpackKernelImage(path: string): Uint8Array {
  const image = readFileSync(path);
  if (image.readUInt32LE(BOOT_HEADER.magic) !== BOOT_MAGIC) throw new Error(`${path} is no x86 boot image`);
  const setupBytes = (image.readUInt8(BOOT_HEADER.setupSectors) + 1) * SECTOR_BYTES;
  const start = setupBytes + image.readUInt32LE(BOOT_HEADER.payloadOffset);
  const end = start + image.readUInt32LE(BOOT_HEADER.payloadLength);
  if (image.readUInt32LE(start) !== ZSTD_MAGIC)
    throw new Error(`${path}: expected a payload that zstd packed`);
  const payload = image.subarray(start, end - SIZE_SUFFIX_BYTES);
  const result = spawnSync('zstd', ['-dcq'], { input: payload, maxBuffer: MAX_KERNEL_BYTES });
  if (result.error !== undefined) throw new Error(`cannot run zstd: ${result.error.message}`);
  if (result.status !== 0) throw new Error(`zstd cannot unpack ${path}: ${result.stderr.toString().trim()}`);
  return result.stdout;
}

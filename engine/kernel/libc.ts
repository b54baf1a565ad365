import koffi from 'koffi';
import { VespidError } from '../errors/index.js';

/**
 * The only file that touches koffi: C functions as plain typed functions. Everything above deals in numbers,
 * typed arrays and {@link VespidError}.
 */

/** System call numbers, asm/unistd.h. */
const SYSTEM_CALLS: Readonly<Record<string, { bpf: number }>> = { x64: { bpf: 321 }, arm64: { bpf: 280 } };

interface Libc {
  syscall(
    number: number,
    command: number,
    attributes: Uint8Array | null,
    byteLength: number,
  ): number | bigint;
  mmap(
    address: null,
    byteLength: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ): bigint;
  munmap(address: bigint, byteLength: number): number;
  close(fd: number): number;
  clock_gettime(clock: number, time: BigInt64Array): number;
  getpagesize(): number;
}

let loaded: Libc | undefined;

function libc(): Libc {
  if (loaded === undefined) {
    const library = koffi.load('libc.so.6');
    // The casts give koffi's untyped functions the signatures of the prototypes beside them.
    loaded = {
      syscall: library.func(
        'long syscall(long number, long command, void *attributes, unsigned long byteLength)',
      ) as Libc['syscall'],
      mmap: library.func(
        'void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)',
      ) as Libc['mmap'],
      munmap: library.func('int munmap(void *address, size_t length)') as Libc['munmap'],
      close: library.func('int close(int fd)') as Libc['close'],
      getpagesize: library.func('int getpagesize()') as Libc['getpagesize'],
      clock_gettime: library.func('int clock_gettime(int clock, void *time)') as Libc['clock_gettime'],
    };
  }
  return loaded;
}

/** The result of a system call: a value, or the error number. */
export type SystemCallResult = { readonly value: number } | { readonly errno: number };

/** bpf(2). `attributes` is a `union bpf_attr`, of which the kernel may write fields back. */
export function bpfSystemCall(command: number, attributes: Uint8Array): SystemCallResult {
  const numbers = SYSTEM_CALLS[process.arch];
  if (numbers === undefined) {
    throw new VespidError('KERNEL_UNSUPPORTED', `bpf(2) is not known for the ${process.arch} architecture`, {
      hint: 'use an x86-64 or arm64 host',
    });
  }
  const value = Number(libc().syscall(numbers.bpf, command, attributes, attributes.byteLength));
  return value < 0 ? { errno: koffi.errno() } : { value };
}

/** pidfd_open(2), the same number on every architecture. */
const PIDFD_OPEN = 434;

/** pidfd_open(2); the caller owns the descriptor. `@throws` VespidError KERNEL_CALL_FAILED */
export function pidfdOpen(pid: number): number {
  const fd = Number(libc().syscall(PIDFD_OPEN, pid, null, 0));
  if (fd < 0) throw kernelCallError('pidfd_open', koffi.errno());
  return fd;
}

/**
 * The address of the first byte. It holds for as long as the caller keeps `bytes` alive; backing stores do not
 * move. An empty array gives 0, the null pointer.
 */
export function addressOf(bytes: Uint8Array): bigint {
  return bytes.byteLength === 0 ? 0n : koffi.address(bytes);
}

export function closeFd(fd: number): void {
  libc().close(fd);
}

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
/** `(void *) -1` of mmap(2). */
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

export interface MemoryMapping extends Disposable {
  readonly buffer: ArrayBuffer;
}

/** Bytes in a page of memory: 4096, or more on some arm64 kernels. */
export function pageBytes(): number {
  return libc().getpagesize();
}

/**
 * Maps `byteLength` bytes of a file descriptor at `offset`, shared. The buffer must not be touched after it is disposed of.
 *
 * @throws VespidError KERNEL_CALL_FAILED
 */
export function mapMemory(fd: number, byteLength: number, offset: number, writable: boolean): MemoryMapping {
  const protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  const address = libc().mmap(null, byteLength, protection, MAP_SHARED, fd, offset);
  if (address === MAP_FAILED) throw kernelCallError('mmap', koffi.errno());
  const buffer = koffi.view(address, byteLength);
  return { buffer, [Symbol.dispose]: () => void libc().munmap(address, byteLength) };
}

export interface Readiness {
  close(): void;
}

/** Calls back on the event loop whenever `fd` is readable (level-triggered), until closed. */
export function whenReadable(fd: number, callback: () => void): Readiness {
  const handle = koffi.node.poll(fd, { readable: true }, callback);
  return { close: () => handle.close() };
}

/** `CLOCK_BOOTTIME` of linux/time.h: counts suspend, unlike Node's own monotonic clock. */
const CLOCK_BOOTTIME = 7;

/** Nanoseconds since boot, the clock of `bpf_ktime_get_boot_ns`. */
export function bootTimeNs(): bigint {
  const [seconds = 0n, nanoseconds = 0n] = readClock(CLOCK_BOOTTIME);
  return seconds * 1_000_000_000n + nanoseconds;
}

function readClock(clock: number): BigInt64Array {
  const time = new BigInt64Array(2);
  if (libc().clock_gettime(clock, time) !== 0) throw kernelCallError('clock_gettime', koffi.errno());
  return time;
}

/** The name of an error number: `EPERM`. */
export function errnoName(errno: number): string {
  const found = Object.entries(koffi.os.errno).find(([, number]) => number === errno);
  return found === undefined ? `errno ${errno}` : found[0];
}

export function kernelCallError(call: string, errno: number, hint?: string): VespidError {
  return new VespidError('KERNEL_CALL_FAILED', `${call} failed: ${errnoName(errno)}`, {
    details: { call, errno, errnoName: errnoName(errno) },
    ...(hint === undefined ? {} : { hint }),
  });
}

import koffi from 'koffi';
import { VespidError } from '../../errors/index.js';

/**
 * The only file that touches koffi: C functions as plain typed functions. Everything above deals in numbers,
 * typed arrays and {@link VespidError}.
 */

/** System call numbers, asm/unistd.h. */
const SYSTEM_CALLS: Readonly<Record<string, { bpf: number; perfEventOpen: number }>> = {
  x64: { bpf: 321, perfEventOpen: 298 },
  arm64: { bpf: 280, perfEventOpen: 241 },
};

interface Libc {
  syscall(
    number: number,
    command: number,
    attributes: Uint8Array | null,
    byteLength: number,
  ): number | bigint;
  mmap(
    address: bigint | null,
    byteLength: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ): bigint;
  munmap(address: bigint, byteLength: number): number;
  close(fd: number): number;
  perfEventOpen(
    number: number,
    attributes: Uint8Array,
    pid: number,
    cpu: number,
    groupFd: number,
    flags: number,
  ): number | bigint;
  ioctl(fd: number, request: number, argument: number): number;
  fcntl(fd: number, command: number, argument: number): number;
  flock(fd: number, operation: number): number;
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, byteLength: number): number;
  send(fd: number, bytes: Uint8Array, byteLength: number, flags: number): number | bigint;
  recv(fd: number, bytes: Uint8Array, byteLength: number, flags: number): number | bigint;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, byteLength: number): number;
  if_nametoindex(name: string): number;
  unshare(flags: number): number;
  setns(fd: number, type: number): number;
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
      perfEventOpen: library.func(
        'long syscall(long number, void *attributes, long pid, long cpu, long groupFd, unsigned long flags)',
      ) as Libc['perfEventOpen'],
      ioctl: library.func(
        'int ioctl(int fd, unsigned long request, unsigned long argument)',
      ) as Libc['ioctl'],
      fcntl: library.func('int fcntl(int fd, int command, int argument)') as Libc['fcntl'],
      flock: library.func('int flock(int fd, int operation)') as Libc['flock'],
      socket: library.func('int socket(int domain, int type, int protocol)') as Libc['socket'],
      bind: library.func('int bind(int fd, void *address, unsigned int byteLength)') as Libc['bind'],
      send: library.func('long send(int fd, void *bytes, size_t byteLength, int flags)') as Libc['send'],
      recv: library.func('long recv(int fd, void *bytes, size_t byteLength, int flags)') as Libc['recv'],
      setsockopt: library.func(
        'int setsockopt(int fd, int level, int option, void *value, unsigned int byteLength)',
      ) as Libc['setsockopt'],
      if_nametoindex: library.func('unsigned int if_nametoindex(const char *name)') as Libc['if_nametoindex'],
      unshare: library.func('int unshare(int flags)') as Libc['unshare'],
      setns: library.func('int setns(int fd, int type)') as Libc['setns'],
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
  return resultOf(libc().syscall(systemCalls().bpf, command, attributes, attributes.byteLength));
}

function systemCalls(): { bpf: number; perfEventOpen: number } {
  const numbers = SYSTEM_CALLS[process.arch];
  if (numbers !== undefined) return numbers;
  throw new VespidError('KERNEL_UNSUPPORTED', `bpf(2) is not known for the ${process.arch} architecture`, {
    hint: 'use an x86-64 or arm64 host',
  });
}

function resultOf(returned: number | bigint): SystemCallResult {
  const value = Number(returned);
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

/** PERF_FLAG_FD_CLOEXEC of include/uapi/linux/perf_event.h. */
const PERF_FLAG_FD_CLOEXEC = 8;

/** perf_event_open(2) without a group. `attributes` is a `struct perf_event_attr`; pid and cpu may be -1, not both. */
export function perfEventSystemCall(attributes: Uint8Array, pid: number, cpu: number): SystemCallResult {
  const number = systemCalls().perfEventOpen;
  return resultOf(libc().perfEventOpen(number, attributes, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC));
}

/** ioctl(2) with a number for argument. */
export function ioctl(fd: number, request: number, argument: number): SystemCallResult {
  return resultOf(libc().ioctl(fd, request, argument));
}

/** LOCK_EX and LOCK_NB of include/uapi/asm-generic/fcntl.h. */
const LOCK_EX = 2;
const LOCK_NB = 4;

/** flock(2): takes the exclusive lock of the open file, without waiting for it. */
export function tryLockSystemCall(fd: number): SystemCallResult {
  return resultOf(libc().flock(fd, LOCK_EX | LOCK_NB));
}

/** socket(2); the caller owns the descriptor. */
export function socketSystemCall(domain: number, type: number, protocol: number): SystemCallResult {
  return resultOf(libc().socket(domain, type, protocol));
}

/** bind(2). `address` is a `struct sockaddr` of the socket's family. */
export function bindSocket(fd: number, address: Uint8Array): SystemCallResult {
  return resultOf(libc().bind(fd, address, address.byteLength));
}

/** send(2) without flags. */
export function sendBytes(fd: number, bytes: Uint8Array): SystemCallResult {
  return resultOf(libc().send(fd, bytes, bytes.byteLength, 0));
}

/** recv(2): fills `bytes` from the start; the value is the number of bytes, with MSG_TRUNC also beyond its end. */
export function receiveBytes(fd: number, bytes: Uint8Array, flags: number): SystemCallResult {
  return resultOf(libc().recv(fd, bytes, bytes.byteLength, flags));
}

/** setsockopt(2). */
export function setSocketOption(
  fd: number,
  level: number,
  option: number,
  value: Uint8Array,
): SystemCallResult {
  return resultOf(libc().setsockopt(fd, level, option, value, value.byteLength));
}

/** The index of a network interface in this thread's network namespace, 0 when there is none of this name. */
export function interfaceIndexOf(name: string): number {
  return libc().if_nametoindex(name);
}

/** CLONE_NEWNET of include/uapi/linux/sched.h. */
const CLONE_NEWNET = 0x4000_0000;

/** unshare(2): moves this thread into a new network namespace. */
export function unshareNetwork(): SystemCallResult {
  return resultOf(libc().unshare(CLONE_NEWNET));
}

/** setns(2): moves this thread into the network namespace that is open as `fd`. */
export function enterNetwork(fd: number): SystemCallResult {
  return resultOf(libc().setns(fd, CLONE_NEWNET));
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
const MAP_FIXED_NOREPLACE = 0x10_0000;
/** `(void *) -1` of mmap(2). */
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

const MAP_PRIVATE = 2;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;

/** Gives address space back once nothing can reach it any more. */
const unreachable = new FinalizationRegistry<{ readonly address: bigint; readonly byteLength: number }>(
  ({ address, byteLength }) => void libc().munmap(address, byteLength),
);

/** Memory that is shared with the kernel, until its owner disposes of it. */
export class MemoryMapping implements Disposable {
  readonly #buffer: ArrayBuffer;
  readonly #retire: () => void;
  #open = true;

  constructor(buffer: ArrayBuffer, retire: () => void) {
    this.#buffer = buffer;
    this.#retire = retire;
  }

  /** @throws VespidError KERNEL_OBJECT_CLOSED once it is disposed of */
  get buffer(): ArrayBuffer {
    if (this.#open) return this.#buffer;
    throw new VespidError('KERNEL_OBJECT_CLOSED', 'shared memory was used after it was disposed of', {
      hint: 'keep its owner open for as long as it is used',
    });
  }

  /** Once: the second time, other memory may stand at the address. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    this.#retire();
  }
}

/** Bytes in a page of memory: 4096, or more on some arm64 kernels. */
export function pageBytes(): number {
  return libc().getpagesize();
}

/**
 * Maps `byteLength` bytes of a file descriptor at `offset`, shared.
 *
 * When it is disposed of, memory of this process takes its place until no view of the buffer is left: what a forgotten
 * view reads is 0, where an unmapped page would end the process. Memory at a `fixedAddress` is unmapped at once, so
 * that the address is free for the next; no view of it may be touched afterwards.
 *
 * @param fixedAddress where the memory must be; taken memory there is never replaced (EEXIST)
 * @throws VespidError KERNEL_CALL_FAILED
 */
export function mapMemory(
  fd: number,
  byteLength: number,
  offset: number,
  writable: boolean,
  fixedAddress?: bigint,
): MemoryMapping {
  const protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  const flags = fixedAddress === undefined ? MAP_SHARED : MAP_SHARED | MAP_FIXED_NOREPLACE;
  const address = libc().mmap(fixedAddress ?? null, byteLength, protection, flags, fd, offset);
  if (address === MAP_FAILED) throw kernelCallError('mmap', koffi.errno());
  const buffer = koffi.view(address, byteLength);
  if (fixedAddress !== undefined) {
    return new MemoryMapping(buffer, () => void libc().munmap(address, byteLength));
  }
  unreachable.register(buffer, { address, byteLength });
  return new MemoryMapping(buffer, () => replaceByPrivate(address, byteLength));
}

/** In one step: there is no moment in which nothing is mapped there. */
function replaceByPrivate(address: bigint, byteLength: number): void {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
  const replaced = libc().mmap(address, byteLength, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (replaced === MAP_FAILED) throw kernelCallError('mmap', koffi.errno());
}

export interface Readiness {
  pause(): void;
  resume(): void;
  close(): void;
}

/** F_DUPFD_CLOEXEC of include/uapi/linux/fcntl.h. */
const F_DUPFD_CLOEXEC = 1030;

/** Another descriptor of what `fd` is; the caller owns it. `@throws` VespidError KERNEL_CALL_FAILED */
export function duplicateFd(fd: number): number {
  const result = resultOf(libc().fcntl(fd, F_DUPFD_CLOEXEC, 0));
  if ('errno' in result) throw kernelCallError('fcntl', result.errno);
  return result.value;
}

/**
 * Calls back on the event loop whenever `fd` is readable (level-triggered), until closed. It watches a descriptor of
 * its own: libuv ends the process when a descriptor that it is to watch was closed meanwhile, and takes one only once.
 *
 * @throws VespidError KERNEL_CALL_FAILED
 */
export function whenReadable(fd: number, callback: () => void): Readiness {
  const watched = duplicateFd(fd);
  const events = { readable: true };
  const handle = koffi.node.poll(watched, events, callback);
  let isOpen = true;
  return {
    pause: () => {
      if (isOpen) handle.stop();
    },
    resume: () => {
      if (isOpen) handle.start(events, callback);
    },
    close: () => {
      if (!isOpen) return;
      isOpen = false;
      handle.stop();
      handle.close();
      closeFd(watched);
    },
  };
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

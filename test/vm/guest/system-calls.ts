import koffi from 'koffi';
import { errnoName } from '../../../engine/kernel/system/libc.js';

/**
 * System calls of x86-64 (asm/unistd_64.h) that Node does not offer, made by this very process: a refused exec
 * leaves it running, and no child has to be started for it.
 */
const NUMBER = {
  open: 2,
  close: 3,
  socket: 41,
  connect: 42,
  sendto: 44,
  bind: 49,
  execve: 59,
  truncate: 76,
  creat: 85,
  mount: 165,
  umount2: 166,
  name_to_handle_at: 303,
  open_by_handle_at: 304,
  memfd_create: 319,
  bpf: 321,
  execveat: 322,
  openat2: 437,
} as const;

type Argument = number | bigint | string | Uint8Array | null;

export const AT_FDCWD = -100;
export const AT_EMPTY_PATH = 0x1000;
export const O_PATH = 0o10000000;

const syscall: (...values: (number | bigint)[]) => number | bigint = koffi
  .load('libc.so.6')
  .func(
    'long syscall(long number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f)',
  ) as typeof syscall;

/** The value, or the name of the error. */
export function systemCall(name: keyof typeof NUMBER, ...values: readonly Argument[]): number | string {
  const kept = values.map((value) => (typeof value === 'string' ? Buffer.from(`${value}\0`) : value));
  const words = kept.map((value) =>
    value === null ? 0 : typeof value === 'object' ? koffi.address(value) : value,
  );
  while (words.length < 6) words.push(0);
  const result = Number(syscall(NUMBER[name], ...words));
  return result < 0 ? errnoName(koffi.errno()) : result;
}

/** `ok` for a call that gave a file descriptor, which is closed again. */
export function opens(result: number | string): string {
  if (typeof result === 'string') return result;
  systemCall('close', result);
  return 'ok';
}

/** A NULL-terminated array of C strings; the strings live as long as the result. */
export class StringArray extends Uint8Array {
  readonly strings: readonly Buffer[];

  constructor(texts: readonly string[]) {
    super((texts.length + 1) * 8);
    this.strings = texts.map((text) => Buffer.from(`${text}\0`));
    const view = new DataView(this.buffer);
    for (const [index, text] of this.strings.entries())
      view.setBigUint64(index * 8, koffi.address(text), true);
  }
}

/** execve(2). Where it is not refused, this process becomes the program: for execs that must fail only. */
export function execve(path: string, args: readonly string[]): string {
  return String(systemCall('execve', path, new StringArray(args), new StringArray([])));
}

/** A `struct file_handle` of the largest size, as name_to_handle_at(2) fills it. */
export function fileHandleOf(path: string): Uint8Array {
  const handle = new Uint8Array(8 + 128);
  new DataView(handle.buffer).setUint32(0, 128, true);
  const result = systemCall('name_to_handle_at', AT_FDCWD, path, handle, new Uint8Array(8), 0);
  if (typeof result === 'string') throw new Error(`name_to_handle_at(${path}): ${result}`);
  return handle;
}

const MS_BIND = 4096;

/** A bind mount, undone by `using`. */
export function bindMount(source: string, target: string): Disposable {
  const result = systemCall('mount', source, target, null, MS_BIND, null);
  if (typeof result === 'string') throw new Error(`mount ${source} ${target}: ${result}`);
  return { [Symbol.dispose]: () => void systemCall('umount2', target, 2) };
}

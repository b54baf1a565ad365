import { VespidError } from '../../errors/index.js';
import { Attributes } from '../commands/attributes.js';
import { errnoName, ioctl, kernelCallError, perfEventSystemCall } from '../system/libc.js';
import { OwnedFd } from '../system/owned-fd.js';

/** PERF_TYPE_*, PERF_COUNT_SW_* and PERF_SAMPLE_* of include/uapi/linux/perf_event.h that BPF programs meet. */
export const PERF_TYPE = { hardware: 0, software: 1, tracepoint: 2, hardwareCache: 3, raw: 4 } as const;
export const PERF_SOFTWARE = { cpuClock: 0, taskClock: 1, pageFaults: 2, bpfOutput: 10 } as const;
export const PERF_SAMPLE_RAW = 1 << 10;
/** The counter of samples that found no room, read(2) with the event's value; Linux 6.0. */
export const PERF_FORMAT_LOST = 1 << 4;

/** What to measure: `struct perf_event_attr`, in its own terms. */
export interface PerfEventConfig {
  /** PERF_TYPE_*, or the number of a dynamic PMU in /sys/bus/event_source/devices. */
  readonly type: number;
  readonly config: bigint;
  /** `bp_addr`, or what `kprobe_func` and `uprobe_path` point at. */
  readonly config1?: bigint | Uint8Array;
  /** `probe_offset`, `kprobe_addr` or a breakpoint's length. */
  readonly config2?: bigint;
  /** One sample every so many events, or so many a second when `isFrequency`. */
  readonly samplePeriod?: bigint;
  readonly isFrequency?: boolean;
  readonly sampleType?: number;
  readonly readFormat?: number;
  /** A wake-up after so many samples, or so many bytes when `isWatermark`. */
  readonly wakeup?: number;
  readonly isWatermark?: boolean;
}

/** PERF_ATTR_SIZE_VER5: up to `sample_max_stack`; every kernel since 4.8 takes it. */
const ATTRIBUTE_BYTES = 112;
/** Bits of the flag word at byte 40. */
const FLAG = { frequency: 1n << 10n, watermark: 1n << 14n } as const;

/** `struct perf_event_attr` of include/uapi/linux/perf_event.h. */
function encodePerfEvent(event: PerfEventConfig): Attributes {
  const flags =
    (event.isFrequency === true ? FLAG.frequency : 0n) | (event.isWatermark === true ? FLAG.watermark : 0n);
  const attributes = new Attributes(ATTRIBUTE_BYTES)
    .u32(0, event.type)
    .u32(4, ATTRIBUTE_BYTES)
    .u64(8, event.config)
    .u64(16, event.samplePeriod ?? 0n)
    .u64(24, BigInt(event.sampleType ?? 0))
    .u64(32, BigInt(event.readFormat ?? 0))
    .u64(40, flags)
    .u32(48, event.wakeup ?? 0)
    .u64(64, event.config2 ?? 0n);
  return event.config1 instanceof Uint8Array
    ? attributes.pointer(56, event.config1)
    : attributes.u64(56, event.config1 ?? 0n);
}

/** Whose events: a thread on any CPU, a CPU for all threads, or a thread on one CPU. */
export type PerfEventScope =
  | { readonly pid: number; readonly cpu?: number }
  | { readonly pid?: undefined; readonly cpu: number };

/**
 * perf_event_open(2).
 *
 * @param subject what is opened, for the message: `kprobe vfs_read`
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED
 */
export function openPerfEvent(event: PerfEventConfig, scope: PerfEventScope, subject: string): OwnedFd {
  const attributes = encodePerfEvent(event);
  const result = perfEventSystemCall(attributes.bytes, scope.pid ?? -1, scope.cpu ?? -1);
  attributes.letGo();
  if ('value' in result) return new OwnedFd(result.value);
  throw perfEventError(result.errno, subject);
}

function perfEventError(errno: number, subject: string): VespidError {
  const name = errnoName(errno);
  if (name !== 'EACCES' && name !== 'EPERM') return kernelCallError(`perf_event_open for ${subject}`, errno);
  return new VespidError('KERNEL_PERMISSION', `perf_event_open for ${subject} failed: ${name}`, {
    details: { call: 'perf_event_open', errno, errnoName: name },
    hint: 'run as root or with CAP_PERFMON; kernel.perf_event_paranoid and a lockdown may refuse too',
  });
}

/** _IO('$', n) and _IOW('$', 8, __u32) of include/uapi/linux/perf_event.h. */
const IOCTL = { enable: 0x2400, disable: 0x2401, setBpf: 0x4004_2408 } as const;

/** PERF_EVENT_IOC_ENABLE. */
export function enablePerfEvent(event: OwnedFd): void {
  const result = ioctl(event.fd, IOCTL.enable, 0);
  if ('errno' in result) throw kernelCallError('ioctl PERF_EVENT_IOC_ENABLE', result.errno);
}

/** PERF_EVENT_IOC_SET_BPF: the program runs at every sample, for as long as the event is open. */
export function setPerfEventProgram(event: OwnedFd, programFd: number): void {
  const result = ioctl(event.fd, IOCTL.setBpf, programFd);
  if ('errno' in result) throw kernelCallError('ioctl PERF_EVENT_IOC_SET_BPF', result.errno);
}

import { TEST_RUN } from '../commands/attribute-layout.js';
import { Attributes } from '../commands/attributes.js';
import { bpf } from '../commands/bpf-command.js';
import type { OwnedFd } from '../system/owned-fd.js';

/** BPF_F_TEST_RUN_ON_CPU, BPF_F_TEST_XDP_LIVE_FRAMES of include/uapi/linux/bpf.h. */
const FLAG = { onCpu: 1, liveFrames: 2 } as const;

/** What BPF_PROG_TEST_RUN gives to a program. Which of it a program type takes, the kernel says with EINVAL. */
export interface TestRun {
  /** The packet, from its Ethernet header; for XDP and skb programs at least 14 bytes. */
  readonly data?: Uint8Array;
  /** The program's context, `struct __sk_buff` or `struct xdp_md`; u64 arguments of raw_tp; anything for syscall. */
  readonly context?: Uint8Array;
  /** How often it runs on the same data, as it was left by the run before. Default 1. */
  readonly repeat?: number;
  /** The CPU that a raw_tp program runs on. */
  readonly cpu?: number;
  /** XDP: the packets are really passed, sent and redirected, `repeat` of them. There is no data out. */
  readonly liveFrames?: { readonly batchSize: number };
  /** Room for the packet that comes out; by default that of `data` and {@link GROWTH_BYTES}. */
  readonly dataOutBytes?: number;
}

export interface TestRunResult {
  /** u32; a negative value of the program is its two's complement. */
  readonly returnValue: number;
  /** The packet as the program left it; empty if none went in. */
  readonly dataOut: Uint8Array;
  /** The context as the program left it; empty if none went in. */
  readonly contextOut: Uint8Array;
  /** Of one run, the mean of `repeat`; 0 for program types that do not measure it. */
  readonly durationNs: number;
}

/** XDP_PACKET_HEADROOM: no program can put more in front of a packet. */
const GROWTH_BYTES = 256;
/** `struct test` of `union bpf_attr`. */
const TEST_BYTES = 80;

/**
 * BPF_PROG_TEST_RUN: runs a program here and now.
 *
 * @throws VespidError KERNEL_CALL_FAILED (ENOSPC: the packet grew beyond `dataOutBytes`; EINVAL and ENOTSUPP: this
 *   program type does not take what was given), KERNEL_PERMISSION
 */
export function testRun(program: OwnedFd, run: TestRun): TestRunResult {
  const dataOut = new Uint8Array(
    run.dataOutBytes ??
      (run.data === undefined || run.liveFrames !== undefined ? 0 : run.data.byteLength + GROWTH_BYTES),
  );
  // A syscall program's context is written back in place, those of packets go to a buffer of their own; raw_tp has none.
  const context = run.context === undefined ? undefined : Uint8Array.from(run.context);
  const contextOut = new Uint8Array(run.data === undefined ? 0 : (context?.byteLength ?? 0));
  const attributes = new Attributes(TEST_BYTES)
    .u32(TEST_RUN.prog_fd, program.fd)
    .u32(TEST_RUN.data_size_out, dataOut.byteLength)
    .u32(TEST_RUN.repeat, run.repeat ?? 0)
    .u32(TEST_RUN.ctx_size_out, contextOut.byteLength)
    .u32(
      TEST_RUN.flags,
      (run.cpu === undefined ? 0 : FLAG.onCpu) | (run.liveFrames === undefined ? 0 : FLAG.liveFrames),
    )
    .u32(TEST_RUN.cpu, run.cpu ?? 0)
    .u32(TEST_RUN.batch_size, run.liveFrames?.batchSize ?? 0);
  if (run.data !== undefined)
    attributes.u32(TEST_RUN.data_size_in, run.data.byteLength).pointer(TEST_RUN.data_in, run.data);
  if (dataOut.byteLength > 0) attributes.pointer(TEST_RUN.data_out, dataOut);
  if (context !== undefined)
    attributes.u32(TEST_RUN.ctx_size_in, context.byteLength).pointer(TEST_RUN.ctx_in, context);
  if (contextOut.byteLength > 0) attributes.pointer(TEST_RUN.ctx_out, contextOut);
  bpf('PROG_TEST_RUN', attributes, 'a test run');
  return {
    returnValue: attributes.readU32(TEST_RUN.retval),
    dataOut: dataOut.subarray(0, run.data === undefined ? 0 : attributes.readU32(TEST_RUN.data_size_out)),
    contextOut:
      run.data === undefined
        ? (context ?? new Uint8Array(0))
        : contextOut.subarray(0, attributes.readU32(TEST_RUN.ctx_size_out)),
    durationNs: attributes.readU32(TEST_RUN.duration),
  };
}

import { VespidError } from '../errors/index.js';
import { Attributes, cString } from './attributes.js';
import { bpf, bpfError, tryBpf } from './bpf-command.js';
import { errnoName, type SystemCallResult } from './libc.js';
import { OwnedFd } from './owned-fd.js';

export interface ProgramLoad {
  readonly name: string;
  /** enum bpf_prog_type */
  readonly type: number;
  /** enum bpf_attach_type, 0 when the type has none. */
  readonly expectedAttachType: number;
  /** Type id of the attach target in vmlinux BTF, 0 when there is none. */
  readonly attachBtfId: number;
  readonly license: string;
  /** Relocated instructions, with map file descriptors in place. */
  readonly instructions: Uint8Array;
  readonly sleepable: boolean;
  /** The object's own BTF, loaded; needed for callbacks. */
  readonly btf: OwnedFd | undefined;
  /** `struct bpf_func_info` for every function, in order. */
  readonly functionInfo: readonly { readonly slotIndex: number; readonly typeId: number }[];
  /** Called right before each BPF_PROG_LOAD: a refused program is loaded again for its log. */
  readonly beforeAttempt?: () => void;
}

/** BPF_F_SLEEPABLE of include/uapi/linux/bpf.h. */
const SLEEPABLE = 1 << 4;
/** From 64 KiB, where most logs fit, up to the largest that the kernel takes, UINT_MAX >> 2 (kernel/bpf/log.c). */
const LOG_BYTES = { first: 64 * 1024, most: 0x3fff_ffff };

/** A loaded program that this process holds. */
export class BpfProgram extends OwnedFd {
  /**
   * BPF_PROG_LOAD. On refusal the program is loaded once more with a log, so that the error can say why.
   *
   * @throws VespidError PROGRAM_REFUSED with the verifier's log, KERNEL_PERMISSION when the kernel refuses without
   *   one (missing capability, no trampolines, a gate)
   */
  static load(load: ProgramLoad): BpfProgram {
    const result = attempt(load, undefined);
    if ('value' in result) return new BpfProgram(result.value);
    throw explainRefusal(load, result.errno);
  }

  info(): ProgramInfo {
    return programInfo(this);
  }

  /** BPF_PROG_TEST_RUN with a context and no data: runs the program once, here and now. */
  testRun(context: Uint8Array): { returnValue: number } {
    const attributes = new Attributes(80).u32(0, this.fd).u32(40, context.byteLength).pointer(48, context);
    bpf('PROG_TEST_RUN', attributes, 'a test run');
    return { returnValue: attributes.readU32(4) };
  }
}

/** A signal to this thread stops the verifier with EAGAIN (libbpf tries as often). */
const INTERRUPTED_ATTEMPTS = 5;

function attempt(load: ProgramLoad, log: Uint8Array | undefined): SystemCallResult {
  for (let attempts = 1; ; attempts++) {
    load.beforeAttempt?.();
    const result = tryBpf('PROG_LOAD', loadAttributes(load, log));
    const isInterrupted = 'errno' in result && errnoName(result.errno) === 'EAGAIN';
    if (!isInterrupted || attempts === INTERRUPTED_ATTEMPTS) return result;
  }
}

function loadAttributes(load: ProgramLoad, log: Uint8Array | undefined): Attributes {
  const attributes = new Attributes(144)
    .u32(0, load.type)
    .u32(4, load.instructions.byteLength / 8)
    .pointer(8, load.instructions)
    .pointer(16, cString(load.license))
    .u32(44, load.sleepable ? SLEEPABLE : 0)
    .objectName(48, load.name)
    .u32(68, load.expectedAttachType)
    .u32(108, load.attachBtfId);
  if (log !== undefined) attributes.u32(24, 1).u32(28, log.byteLength).pointer(32, log);
  if (load.btf !== undefined && load.functionInfo.length > 0) {
    const records = new Uint32Array(load.functionInfo.flatMap((info) => [info.slotIndex, info.typeId]));
    attributes
      .u32(72, load.btf.fd)
      .u32(76, 8)
      .pointer(80, new Uint8Array(records.buffer))
      .u32(88, load.functionInfo.length);
  }
  return attributes;
}

function explainRefusal(load: ProgramLoad, errno: number): VespidError {
  const log = readVerifierLog(load);
  if (log === '') return bpfError('PROG_LOAD', errno, `program ${load.name}`);
  const lines = log.split('\n').filter((line) => line !== '' && !line.startsWith('processed '));
  const summary = lines.at(-1) ?? 'no reason given';
  return new VespidError(
    'PROGRAM_REFUSED',
    `the verifier refused program ${load.name} (${errnoName(errno)}): ${summary}`,
    {
      log,
      details: { program: load.name, errno },
      hint: 'the full verifier log is in --verbose and in --json',
    },
  );
}

/** Loads again with a log, doubling the buffer while the kernel says that it was too small (ENOSPC). */
function readVerifierLog(load: ProgramLoad): string {
  for (let byteLength = LOG_BYTES.first; ; byteLength = Math.min(byteLength * 4, LOG_BYTES.most)) {
    const log = new Uint8Array(byteLength);
    const result = attempt(load, log);
    if ('value' in result) {
      new OwnedFd(result.value).close();
      return '';
    }
    if (errnoName(result.errno) === 'ENOSPC' && byteLength < LOG_BYTES.most) continue;
    return new TextDecoder().decode(log.subarray(0, log.indexOf(0)));
  }
}

export interface ProgramInfo {
  readonly id: number;
  /** The kernel's own tag, 16 hex digits. */
  readonly tag: string;
  readonly name: string;
  /** With BPF_ENABLE_STATS: nanoseconds spent and runs. */
  readonly runTimeNs: bigint;
  readonly runCount: bigint;
  /** Runs that the kernel skipped because the program was running on that CPU already (LSM: kernels before 6.2). */
  readonly recursionMisses: bigint;
  readonly verifiedInstructions: number;
}

/** `struct bpf_prog_info` up to `attach_btf_id`. */
const PROGRAM_INFO_BYTES = 232;

function programInfo(program: OwnedFd): ProgramInfo {
  const info = new Uint8Array(PROGRAM_INFO_BYTES);
  const attributes = new Attributes(16).u32(0, program.fd).u32(4, info.byteLength).pointer(8, info);
  bpf('OBJ_GET_INFO_BY_FD', attributes, 'a program');
  const view = new DataView(info.buffer);
  return {
    id: view.getUint32(4, true),
    tag: Buffer.from(info.subarray(8, 16)).toString('hex'),
    name: new TextDecoder().decode(info.subarray(64, 80)).replace(/\0.*$/s, ''),
    runTimeNs: view.getBigUint64(192, true),
    runCount: view.getBigUint64(200, true),
    recursionMisses: view.getBigUint64(208, true),
    verifiedInstructions: view.getUint32(216, true),
  };
}

/** BPF_ENABLE_STATS: the kernel counts runs and nanoseconds of every program while the result is open. */
export function enableRunTimeStatistics(): OwnedFd {
  return new OwnedFd(bpf('ENABLE_STATS', new Attributes(4), 'run-time statistics'));
}

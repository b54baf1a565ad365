import type { SourceLine } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { bpfError } from '../commands/bpf-command.js';
import { TOKEN_FD_FLAG } from '../commands/btf-commands.js';
import {
  bindProgramMap,
  loadProgram,
  type ProgramLoadAttributes,
  type ProgramLoadResult,
  type ProgramLog,
  type ProgramStream,
  readProgramStream,
} from '../commands/program-commands.js';
import { enableStatistics } from '../commands/system-commands.js';
import type { BpfMap } from '../maps/map.js';
import { openById } from '../objects/object-id.js';
import { openPinned, pin } from '../objects/object-pin.js';
import { errnoName } from '../system/libc.js';
import { OwnedFd } from '../system/owned-fd.js';
import { withWholeLog } from './kernel-log.js';
import { type ProgramInfo, programDump, programInfo } from './program-info.js';
import { type TestRun, type TestRunResult, testRun } from './test-run.js';
import { readRefusal, sourceOfInstruction } from './verifier-log.js';

export interface ProgramLoad {
  readonly name: string;
  /** enum bpf_prog_type */
  readonly type: number;
  /** enum bpf_attach_type, 0 when the type has none. */
  readonly expectedAttachType: number;
  /** Type id of the attach target in its BTF, 0 when there is none. */
  readonly attachBtfId: number;
  /** The module whose BTF the target is in; vmlinux when left out. */
  readonly attachBtfFd?: number | undefined;
  /** The program whose function is the target (freplace, fentry and fexit on a program): the id is in its BTF. */
  readonly attachProgram?: BpfProgram | undefined;
  readonly license: string;
  /** Relocated instructions, with map file descriptors in place. */
  readonly instructions: Uint8Array;
  /** Flags besides {@link sleepable}: {@link PROGRAM_FLAG}. */
  readonly flags?: number | undefined;
  readonly sleepable: boolean;
  /** KERNEL_VERSION(a, b, c), which kprobe programs had to state before kernel 5.0. */
  readonly kernelVersion?: number | undefined;
  /** The device of an offloaded or device-bound program. */
  readonly interfaceIndex?: number | undefined;
  /** The object's own BTF, loaded; needed for callbacks. */
  readonly btf: OwnedFd | undefined;
  /** `struct bpf_func_info` for every function, in order. */
  readonly functionInfo: readonly { readonly slotIndex: number; readonly typeId: number }[];
  /** Source lines, ascending; with {@link btf} they go to the kernel, too. */
  readonly lines?: readonly SourceLine[] | undefined;
  /** Descriptors of maps and module BTF that instructions name by index. */
  readonly fdArray?: Int32Array | undefined;
  /** Delegated rights, in place of capabilities (kernel 6.9). */
  readonly token?: OwnedFd | undefined;
  /** Keeps the verifier's log of a program that is accepted, too: {@link BpfProgram.log}. 1, 2, 4 or a sum. */
  readonly logLevel?: number | undefined;
  /** Called right before each BPF_PROG_LOAD attempt: a refused program is loaded again for its log. */
  readonly beforeAttempt?: (() => void) | undefined;
}

/** BPF_F_* flags of BPF_PROG_LOAD, include/uapi/linux/bpf.h. */
export const PROGRAM_FLAG = {
  strictAlignment: 1 << 0,
  anyAlignment: 1 << 1,
  testRandomHighHalf: 1 << 2,
  testStateFrequency: 1 << 3,
  sleepable: 1 << 4,
  xdpHasFragments: 1 << 5,
  xdpDeviceBoundOnly: 1 << 6,
  testRegisterInvariants: 1 << 7,
  tokenFd: TOKEN_FD_FLAG,
} as const;

/** A loaded program that this process holds. */
export class BpfProgram extends OwnedFd {
  /** Takes over `fd`. */
  constructor(
    fd: number,
    readonly name = '',
    /** What the verifier said, if {@link ProgramLoad.logLevel} asked for it. */
    readonly log = '',
  ) {
    super(fd);
  }

  /**
   * BPF_PROG_LOAD. On refusal the program is loaded once more with a log, so that the error can say why.
   *
   * @throws VespidError PROGRAM_REFUSED with the verifier's reason, the source line if there is line info, and the
   *   whole log; KERNEL_PERMISSION, KERNEL_CALL_FAILED when the kernel refuses without a log (missing capability,
   *   no trampolines, a gate)
   */
  static load(load: ProgramLoad): BpfProgram {
    const attributes = loadAttributes(load);
    if (load.logLevel === undefined) {
      const { result } = attempt(load, attributes, undefined);
      if ('value' in result) return new BpfProgram(result.value, load.name);
    }
    const level = load.logLevel ?? 1;
    const { result, log } = withWholeLog((buffer) => attempt(load, attributes, { level, buffer }));
    // What failed for want of memory or by a signal may well succeed now.
    if ('value' in result)
      return new BpfProgram(result.value, load.name, load.logLevel === undefined ? '' : log);
    throw refusal(load, result.errno, log);
  }

  /**
   * The program with that id, wherever it comes from.
   *
   * @throws VespidError KERNEL_OBJECT_GONE, KERNEL_PERMISSION
   */
  static openById(id: number): BpfProgram {
    using opened = openById('PROG', id);
    const { name } = programInfo(opened, `program ${id}`);
    return new BpfProgram(opened.release(), name);
  }

  /** @throws VespidError PIN_NOT_FOUND, PIN_MISMATCH for an object that is no program, KERNEL_PERMISSION */
  static openPinned(path: string): BpfProgram {
    using opened = openPinned(path, 'prog');
    const { name } = programInfo(opened, `program at ${path}`);
    return new BpfProgram(opened.release(), name);
  }

  /** For messages: `program on_exec`. */
  get subject(): string {
    return `program ${this.name}`;
  }

  info(): ProgramInfo {
    return programInfo(this, this.subject);
  }

  /** The instructions as the verifier left them, or the machine code; empty when the kernel does not show them. */
  dump(which: 'translated' | 'jited'): Uint8Array {
    return programDump(this, which, this.subject);
  }

  /** @throws VespidError PIN_EXISTS, KERNEL_* */
  pin(path: string): void {
    pin(this.fd, path, this.subject);
  }

  /** Keeps a map that no instruction names, such as one of metadata, for as long as the program lives. */
  bind(map: BpfMap): void {
    bindProgramMap(this.fd, map.fd, `${this.subject} and ${map.subject}`);
  }

  /** Fills `buffer` with what the program printed to one of its streams; gives the bytes. Kernel 6.17. */
  readStream(stream: ProgramStream, buffer: Uint8Array): number {
    return readProgramStream(this.fd, stream, buffer, this.subject);
  }

  /** BPF_PROG_TEST_RUN: runs the program here and now, see {@link TestRun}. */
  testRun(run: TestRun): TestRunResult {
    return testRun(this, run);
  }
}

/** A signal to this thread stops the verifier with EAGAIN (libbpf tries as often). */
const INTERRUPTED_ATTEMPTS = 5;

function attempt(
  load: ProgramLoad,
  attributes: ProgramLoadAttributes,
  log: ProgramLog | undefined,
): ProgramLoadResult {
  for (let attempts = 1; ; attempts++) {
    load.beforeAttempt?.();
    const loaded = loadProgram(attributes, log);
    const isInterrupted = 'errno' in loaded.result && errnoName(loaded.result.errno) === 'EAGAIN';
    if (!isInterrupted || attempts === INTERRUPTED_ATTEMPTS) return loaded;
  }
}

const NO_BYTES = new Uint8Array(0);

function loadAttributes(load: ProgramLoad): ProgramLoadAttributes {
  const { functionInfo, lines = [], btf, fdArray } = load;
  const hasInfo = btf !== undefined && (functionInfo.length > 0 || lines.length > 0);
  return {
    programType: load.type,
    instructions: load.instructions,
    license: load.license,
    kernelVersion: load.kernelVersion ?? 0,
    programFlags:
      (load.flags ?? 0) |
      (load.sleepable ? PROGRAM_FLAG.sleepable : 0) |
      (load.token === undefined ? 0 : PROGRAM_FLAG.tokenFd),
    programName: load.name,
    interfaceIndex: load.interfaceIndex ?? 0,
    expectedAttachType: load.expectedAttachType,
    btfFd: hasInfo ? btf.fd : 0,
    functionInfo: hasInfo ? functionRecords(functionInfo) : NO_BYTES,
    lineInfo: hasInfo ? lineRecords(lines) : NO_BYTES,
    attachBtfId: load.attachBtfId,
    attachFd: load.attachProgram?.fd ?? load.attachBtfFd ?? 0,
    fdArray:
      fdArray === undefined
        ? NO_BYTES
        : new Uint8Array(fdArray.buffer, fdArray.byteOffset, fdArray.byteLength),
    tokenFd: load.token?.fd ?? 0,
  };
}

function functionRecords(functions: ProgramLoad['functionInfo']): Uint8Array {
  const records = new Uint32Array(functions.flatMap((info) => [info.slotIndex, info.typeId]));
  return new Uint8Array(records.buffer);
}

/** BPF_LINE_INFO_LINE_NUM and BPF_LINE_INFO_LINE_COL: 22 bits of line, 10 of column. */
const COLUMN_BITS = 10;
const MOST_COLUMN = (1 << COLUMN_BITS) - 1;

function lineRecords(lines: readonly SourceLine[]): Uint8Array {
  const records = new Uint32Array(lines.length * 4);
  for (const [index, line] of lines.entries()) {
    const position = ((line.line << COLUMN_BITS) | Math.min(line.column, MOST_COLUMN)) >>> 0;
    records.set([line.slotIndex, line.fileNameOffset, line.sourceOffset, position], index * 4);
  }
  return new Uint8Array(records.buffer);
}

function refusal(load: ProgramLoad, errno: number, log: string): VespidError {
  if (log === '') return bpfError('PROG_LOAD', errno, `program ${load.name}`);
  const reason = readRefusal(log);
  const source = sourceOfInstruction(load.lines ?? [], reason.slotIndex) ?? reason.source;
  const where = source === undefined ? '' : `, at ${source.fileName}:${source.line}: ${source.source}`;
  const summary = reason.summary === '' ? 'no reason given' : reason.summary;
  return new VespidError(
    'PROGRAM_REFUSED',
    `the verifier refused program ${load.name} (${errnoName(errno)}): ${summary}${where}`,
    {
      log,
      details: {
        program: load.name,
        errno,
        errnoName: errnoName(errno),
        summary,
        ...(reason.slotIndex === undefined ? {} : { slotIndex: reason.slotIndex }),
        ...(source === undefined ? {} : { source }),
      },
      hint: "the verifier's whole log is the error's `log`; the command line prints it with --verbose and --json",
    },
  );
}

/** BPF_ENABLE_STATS: the kernel counts runs and nanoseconds of every program while the result is open. */
export function enableRunTimeStatistics(): OwnedFd {
  return new OwnedFd(enableStatistics());
}

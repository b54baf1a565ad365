import type { SystemCallResult } from '../system/libc.js';
import { PROGRAM_BIND_MAP, PROGRAM_LOAD, PROGRAM_STREAM_READ } from './attribute-layout.js';
import { Attributes, cString } from './attributes.js';
import { bpf, tryBpf } from './bpf-command.js';

/** What BPF_PROG_LOAD takes, under the names of `union bpf_attr`; what is left out is 0. */
export interface ProgramLoadAttributes {
  readonly programType: number;
  readonly instructions: Uint8Array;
  readonly license: string;
  readonly kernelVersion: number;
  /** BPF_F_* */
  readonly programFlags: number;
  readonly programName: string;
  readonly interfaceIndex: number;
  readonly expectedAttachType: number;
  readonly btfFd: number;
  /** `struct bpf_func_info` each: u32 insn_off, u32 type_id. */
  readonly functionInfo: Uint8Array;
  /** `struct bpf_line_info` each: u32 insn_off, u32 file_name_off, u32 line_off, u32 line_col. */
  readonly lineInfo: Uint8Array;
  readonly attachBtfId: number;
  /** `attach_prog_fd` or `attach_btf_obj_fd`, which share their place. */
  readonly attachFd: number;
  /** File descriptors that instructions name by their index, 4 bytes each. */
  readonly fdArray: Uint8Array;
  readonly tokenFd: number;
}

/** Sizes of `struct bpf_func_info` and `struct bpf_line_info`. */
export const FUNCTION_INFO_BYTES = 8;
export const LINE_INFO_BYTES = 16;

export interface ProgramLog {
  /** BPF_LOG_LEVEL1 and so on, of include/linux/bpf_verifier.h: 1 tells what led to a refusal, 2 all, 4 figures. */
  readonly level: number;
  readonly buffer: Uint8Array;
}

export interface ProgramLoadResult {
  readonly result: SystemCallResult;
  /** Bytes that the whole log has, with its NUL, whatever fitted: kernel 6.4 and later; 0 if not said. */
  readonly logTrueSize: number;
}

/** BPF_PROG_LOAD; the value is the new descriptor. */
export function loadProgram(load: ProgramLoadAttributes, log: ProgramLog | undefined): ProgramLoadResult {
  const attributes = new Attributes(152)
    .u32(PROGRAM_LOAD.prog_type, load.programType)
    .u32(PROGRAM_LOAD.insn_cnt, load.instructions.byteLength / 8)
    .pointer(PROGRAM_LOAD.insns, load.instructions)
    .pointer(PROGRAM_LOAD.license, cString(load.license))
    .u32(PROGRAM_LOAD.kern_version, load.kernelVersion)
    .u32(PROGRAM_LOAD.prog_flags, load.programFlags)
    .objectName(PROGRAM_LOAD.prog_name, load.programName)
    .u32(PROGRAM_LOAD.prog_ifindex, load.interfaceIndex)
    .u32(PROGRAM_LOAD.expected_attach_type, load.expectedAttachType)
    .u32(PROGRAM_LOAD.attach_btf_id, load.attachBtfId)
    .u32(PROGRAM_LOAD.attach_prog_fd, load.attachFd)
    .pointer(PROGRAM_LOAD.fd_array, load.fdArray)
    .i32(PROGRAM_LOAD.prog_token_fd, load.tokenFd);
  if (log !== undefined) {
    attributes
      .u32(PROGRAM_LOAD.log_level, log.level)
      .u32(PROGRAM_LOAD.log_size, log.buffer.byteLength)
      .pointer(PROGRAM_LOAD.log_buf, log.buffer);
  }
  if (load.btfFd > 0) {
    attributes
      .u32(PROGRAM_LOAD.prog_btf_fd, load.btfFd)
      .u32(PROGRAM_LOAD.func_info_rec_size, FUNCTION_INFO_BYTES)
      .pointer(PROGRAM_LOAD.func_info, load.functionInfo)
      .u32(PROGRAM_LOAD.func_info_cnt, load.functionInfo.byteLength / FUNCTION_INFO_BYTES)
      .u32(PROGRAM_LOAD.line_info_rec_size, LINE_INFO_BYTES)
      .pointer(PROGRAM_LOAD.line_info, load.lineInfo)
      .u32(PROGRAM_LOAD.line_info_cnt, load.lineInfo.byteLength / LINE_INFO_BYTES);
  }
  const result = tryBpf('PROG_LOAD', attributes);
  return { result, logTrueSize: attributes.readU32(PROGRAM_LOAD.log_true_size) };
}

/** BPF_PROG_BIND_MAP: the map lives as long as the program (kernel 5.10). */
export function bindProgramMap(programFd: number, mapFd: number, subject: string): void {
  const attributes = new Attributes(12)
    .u32(PROGRAM_BIND_MAP.prog_fd, programFd)
    .u32(PROGRAM_BIND_MAP.map_fd, mapFd);
  bpf('PROG_BIND_MAP', attributes, subject);
}

/** What a program wrote by `bpf_stream_vprintk`: 1 is its standard output, 2 its standard error. */
export type ProgramStream = 1 | 2;

/** BPF_PROG_STREAM_READ_BY_FD (kernel 6.17): fills `buffer`, gives the number of bytes. */
export function readProgramStream(
  programFd: number,
  stream: ProgramStream,
  buffer: Uint8Array,
  subject: string,
): number {
  const attributes = new Attributes(24)
    .pointer(PROGRAM_STREAM_READ.stream_buf, buffer)
    .u32(PROGRAM_STREAM_READ.stream_buf_len, buffer.byteLength)
    .u32(PROGRAM_STREAM_READ.stream_id, stream)
    .u32(PROGRAM_STREAM_READ.prog_fd, programFd);
  return bpf('PROG_STREAM_READ_BY_FD', attributes, subject);
}

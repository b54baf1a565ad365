import { Attributes } from '../commands/attributes.js';
import { objectInfo } from '../commands/object-commands.js';
import { fixedString } from '../objects/object-info.js';
import type { OwnedFd } from '../system/owned-fd.js';

/** `struct bpf_prog_info` of include/uapi/linux/bpf.h. */
export interface ProgramInfo {
  /** enum bpf_prog_type */
  readonly type: number;
  readonly id: number;
  /** The kernel's own tag, 16 hex digits. */
  readonly tag: string;
  /** At most 15 bytes; with BTF, the name of its function says more. */
  readonly name: string;
  /** Bytes of machine code; 0 when it is interpreted or not to be seen. */
  readonly jitedBytes: number;
  /** Bytes of the instructions as the verifier left them. */
  readonly translatedBytes: number;
  /** Nanoseconds since boot (CLOCK_BOOTTIME). */
  readonly loadTimeNs: bigint;
  readonly createdByUid: number;
  readonly mapIds: readonly number[];
  readonly interfaceIndex: number;
  readonly isGplCompatible: boolean;
  /** 0 when it was loaded without BTF. */
  readonly btfId: number;
  /** With BPF_ENABLE_STATS: nanoseconds spent and runs. */
  readonly runTimeNs: bigint;
  readonly runCount: bigint;
  /** Runs that the kernel skipped because the program was running on that CPU already (LSM: kernels before 6.2). */
  readonly recursionMisses: bigint;
  readonly verifiedInstructions: number;
  /** BTF object and type of the attach target, 0 when there is none. */
  readonly attachBtfObjectId: number;
  readonly attachBtfId: number;
}

/** Up to `attach_btf_id`. */
const PROGRAM_INFO_BYTES = 232;

/** Offsets of what is asked for by a pointer and a size or count. */
const JITED = { size: 16, pointer: 24 };
const TRANSLATED = { size: 20, pointer: 32 };
const MAP_IDS = { size: 52, pointer: 56 };

/** @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED */
export function programInfo(program: OwnedFd, subject: string): ProgramInfo {
  const counts = new Attributes(PROGRAM_INFO_BYTES);
  objectInfo(program.fd, counts, subject);
  const mapIds = new Uint32Array(counts.readU32(MAP_IDS.size));
  const info = new Attributes(PROGRAM_INFO_BYTES)
    .u32(MAP_IDS.size, mapIds.length)
    .pointer(MAP_IDS.pointer, new Uint8Array(mapIds.buffer));
  objectInfo(program.fd, info, subject);
  return {
    type: info.readU32(0),
    id: info.readU32(4),
    tag: Buffer.from(info.bytes.subarray(8, 16)).toString('hex'),
    jitedBytes: info.readU32(JITED.size),
    translatedBytes: info.readU32(TRANSLATED.size),
    loadTimeNs: info.readU64(40),
    createdByUid: info.readU32(48),
    mapIds: [...mapIds],
    name: fixedString(info.bytes.subarray(64, 80)),
    interfaceIndex: info.readU32(80),
    isGplCompatible: (info.readU32(84) & 1) !== 0,
    btfId: info.readU32(128),
    runTimeNs: info.readU64(192),
    runCount: info.readU64(200),
    recursionMisses: info.readU64(208),
    verifiedInstructions: info.readU32(216),
    attachBtfObjectId: info.readU32(220),
    attachBtfId: info.readU32(224),
  };
}

/**
 * What the kernel made of the instructions: `translated` by its verifier, `jited` to machine code. Empty when the
 * kernel does not show it (`kernel.kptr_restrict`, a program without JIT).
 */
export function programDump(program: OwnedFd, which: 'translated' | 'jited', subject: string): Uint8Array {
  const place = which === 'translated' ? TRANSLATED : JITED;
  const sizes = new Attributes(PROGRAM_INFO_BYTES);
  objectInfo(program.fd, sizes, subject);
  const bytes = new Uint8Array(sizes.readU32(place.size));
  if (bytes.byteLength === 0) return bytes;
  const info = new Attributes(PROGRAM_INFO_BYTES)
    .u32(place.size, bytes.byteLength)
    .pointer(place.pointer, bytes);
  objectInfo(program.fd, info, subject);
  // A null pointer that comes back says that the kernel kept the bytes to itself.
  return info.readU64(place.pointer) === 0n ? new Uint8Array(0) : bytes.subarray(0, info.readU32(place.size));
}

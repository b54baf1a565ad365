/**
 * The numbers of the BPF instruction set: RFC 9669 sections 3 to 5, and what Linux adds to it
 * (include/uapi/linux/bpf.h). `instruction/` says which of them go together.
 */

/** A register number. R10 is the read-only frame pointer; R1 to R5 are lost over a call (RFC 9669, 2.2). */
export type Register = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10;
export const R0 = 0;
export const R1 = 1;
export const R2 = 2;
export const R3 = 3;
export const R4 = 4;
export const R5 = 5;
export const R6 = 6;
export const R7 = 7;
export const R8 = 8;
export const R9 = 9;
export const R10 = 10;

/** Bytes in one instruction slot; `ld_imm64` takes two. */
export const SLOT_BYTES = 8;

/** Instruction classes, RFC 9669 section 3.1. */
export const CLASS = {
  ld: 0x00,
  ldx: 0x01,
  st: 0x02,
  stx: 0x03,
  alu32: 0x04,
  jmp: 0x05,
  jmp32: 0x06,
  alu64: 0x07,
} as const;

/** Parts of an opcode, RFC 9669 sections 3.1, 4 and 5: the upper bits are an operation, or size and mode. */
export const CLASS_MASK = 0x07;
export const OPERATION_MASK = 0xf0;
export const SIZE_MASK = 0x18;
export const MODE_MASK = 0xe0;

/** Source operand: immediate or register, RFC 9669 section 4. */
export const SOURCE = { k: 0x00, x: 0x08 } as const;

/** Arithmetic operations, RFC 9669 section 4.1. */
export const ALU = {
  add: 0x00,
  sub: 0x10,
  mul: 0x20,
  div: 0x30,
  or: 0x40,
  and: 0x50,
  lsh: 0x60,
  rsh: 0x70,
  neg: 0x80,
  mod: 0x90,
  xor: 0xa0,
  mov: 0xb0,
  arsh: 0xc0,
} as const;
export type AluOperation = keyof typeof ALU;

/**
 * Byte swaps, RFC 9669 section 4.2. Class alu32: the source bit says to big (1) or to little (0) endian. Class
 * alu64: unconditional. The width is in the immediate.
 */
export const END = 0xd0;

/** In the offset of `div` and `mod`: signed, RFC 9669 section 4.1. */
export const SIGNED_DIVISION = 1;

/** In the offset of a 64-bit `mov`: BPF_ADDR_SPACE_CAST of include/linux/filter.h. */
export const ADDRESS_SPACE_CAST = 1;

/** Jumps, RFC 9669 section 4.3. */
export const JUMP = {
  '==': 0x10,
  '>': 0x20,
  '>=': 0x30,
  '&': 0x40,
  '!=': 0x50,
  's>': 0x60,
  's>=': 0x70,
  '<': 0xa0,
  '<=': 0xb0,
  's<': 0xc0,
  's<=': 0xd0,
} as const;
export type JumpCondition = keyof typeof JUMP;
export const JA = 0x00;
export const CALL = 0x80;
export const EXIT = 0x90;
/** BPF_JCOND of include/uapi/linux/bpf.h; source register 0 is BPF_MAY_GOTO. */
export const JCOND = 0xe0;

/** Access sizes in bytes, RFC 9669 section 5. */
export const SIZE = { 4: 0x00, 2: 0x08, 1: 0x10, 8: 0x18 } as const;
export type AccessBytes = keyof typeof SIZE;

/** Access modes, RFC 9669 section 5; `abs` and `ind` are of the legacy packet group. */
export const MODE = { imm: 0x00, abs: 0x20, ind: 0x40, mem: 0x60, memSigned: 0x80, atomic: 0xc0 } as const;

/**
 * Atomic operations, RFC 9669 section 5.3, in the immediate. The last two are Linux's (6.15): BPF_LOAD_ACQ and
 * BPF_STORE_REL of include/uapi/linux/bpf.h.
 */
export const ATOMIC = {
  add: 0x00,
  or: 0x40,
  and: 0x50,
  xor: 0xa0,
  fetchAdd: 0x01,
  fetchOr: 0x41,
  fetchAnd: 0x51,
  fetchXor: 0xa1,
  exchange: 0xe1,
  compareExchange: 0xf1,
  loadAcquire: 0x100,
  storeRelease: 0x110,
} as const;

/**
 * `ld_imm64` subtypes in the source register, RFC 9669 section 5.4; BPF_PSEUDO_* of include/uapi/linux/bpf.h.
 * 0 is a plain number.
 */
export const PSEUDO = {
  mapFd: 1,
  mapValue: 2,
  variable: 3,
  function: 4,
  mapIndex: 5,
  mapIndexValue: 6,
} as const;

/** The source register of `call`: a local function, RFC 9669 section 4.3.1. 0 is a helper by its number. */
export const PSEUDO_CALL = 1;
/** The source register of `call`: a kernel function by its BTF id (BPF_PSEUDO_KFUNC_CALL). */
export const PSEUDO_KFUNC_CALL = 2;

/** Map types, enum bpf_map_type of include/uapi/linux/bpf.h. */
export const MAP_TYPE = {
  hash: 1,
  array: 2,
  progArray: 3,
  perfEventArray: 4,
  percpuHash: 5,
  percpuArray: 6,
  stackTrace: 7,
  cgroupArray: 8,
  lruHash: 9,
  lruPercpuHash: 10,
  lpmTrie: 11,
  arrayOfMaps: 12,
  hashOfMaps: 13,
  devmap: 14,
  sockmap: 15,
  cpumap: 16,
  xskmap: 17,
  sockhash: 18,
  cgroupStorage: 19,
  reuseportSockarray: 20,
  percpuCgroupStorage: 21,
  queue: 22,
  stack: 23,
  skStorage: 24,
  devmapHash: 25,
  structOps: 26,
  ringbuf: 27,
  inodeStorage: 28,
  taskStorage: 29,
  bloomFilter: 30,
  userRingbuf: 31,
  cgrpStorage: 32,
  arena: 33,
} as const;
export type MapTypeName = keyof typeof MAP_TYPE;

/** Stack of one program over all its frames, MAX_BPF_STACK of include/linux/filter.h. */
export const MAX_STACK_BYTES = 512;

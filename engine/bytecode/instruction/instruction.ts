import type { AccessBytes, AluOperation, JumpCondition, Register } from '../isa.js';

/**
 * One BPF instruction, every field that means something and none that is reserved: RFC 9669 and Linux's
 * additions. All of one slot (8 bytes) but `load-immediate64` and `load-address`, which take two. Offsets of jumps
 * and local calls count slots from the instruction after it.
 */
export type Instruction =
  | AluInstruction
  | MemoryInstruction
  | AtomicInstruction
  | WideInstruction
  | JumpInstruction
  | CallInstruction;

export type InstructionKind = Instruction['kind'];

/** The second operand of arithmetic and jumps. An immediate has 32 bits and is sign-extended to 64. */
export type Operand =
  | { readonly kind: 'register'; readonly register: Register }
  | { readonly kind: 'immediate'; readonly value: number };

/** Bits that an operation works on; a 32-bit one clears the upper half of its destination. */
export type Width = 32 | 64;

/** Arithmetic of two operands: those of RFC 9669 section 4.1 without `neg`, and the signed divisions. */
export type BinaryOperation = Exclude<AluOperation, 'neg'> | 'sdiv' | 'smod';

/** RFC 9669 sections 4.1 and 4.2. */
export type AluInstruction =
  | {
      readonly kind: 'alu';
      readonly width: Width;
      readonly operation: BinaryOperation;
      readonly destination: Register;
      readonly source: Operand;
    }
  | { readonly kind: 'negate'; readonly width: Width; readonly destination: Register }
  /** `r1 = (s8)r2`; 32 bits only into 64. */
  | {
      readonly kind: 'move-sign-extended';
      readonly width: Width;
      readonly bits: 8 | 16 | 32;
      readonly destination: Register;
      readonly source: Register;
    }
  /** To or from the byte order: nothing but a truncation on a machine of that order. */
  | {
      readonly kind: 'to-byte-order';
      readonly byteOrder: 'little-endian' | 'big-endian';
      readonly bits: SwapBits;
      readonly destination: Register;
    }
  | { readonly kind: 'byte-swap'; readonly bits: SwapBits; readonly destination: Register }
  /** Linux 6.9, for arenas: `r1 = addr_space_cast(r2, to, from)`; address spaces are numbers of 16 bits. */
  | {
      readonly kind: 'address-space-cast';
      readonly destination: Register;
      readonly source: Register;
      readonly toSpace: number;
      readonly fromSpace: number;
    };

export type SwapBits = 16 | 32 | 64;

/** A place in memory: `base + offset`, the offset of 16 bits, signed. */
interface Place {
  readonly bytes: AccessBytes;
  readonly base: Register;
  readonly offset: number;
}

/** RFC 9669 sections 5.1, 5.2 and 5.5. */
export type MemoryInstruction =
  /** Sign-extended ones have at most 4 bytes. */
  | (Place & { readonly kind: 'load'; readonly isSigned: boolean; readonly destination: Register })
  | (Place & { readonly kind: 'store'; readonly source: Operand })
  /** Into R0, from the packet at `offset`, or at `index + offset`. Not of 8 bytes. */
  | {
      readonly kind: 'load-packet';
      readonly bytes: 1 | 2 | 4;
      readonly index: Register | undefined;
      readonly offset: number;
    };

export type AtomicOperation = 'add' | 'or' | 'and' | 'xor';

/** RFC 9669 section 5.3, of 4 or 8 bytes, and the two accesses with ordering that Linux 6.15 adds. */
export type AtomicInstruction =
  /** With `fetch`, the source register gets the old value. */
  | (AtomicPlace & {
      readonly kind: 'atomic';
      readonly operation: AtomicOperation;
      readonly fetch: boolean;
      readonly source: Register;
    })
  | (AtomicPlace & { readonly kind: 'exchange'; readonly source: Register })
  /** Compares with R0, which gets the old value. */
  | (AtomicPlace & { readonly kind: 'compare-exchange'; readonly source: Register })
  | (Place & { readonly kind: 'load-acquire'; readonly destination: Register })
  | (Place & { readonly kind: 'store-release'; readonly source: Register });

interface AtomicPlace extends Place {
  readonly bytes: 4 | 8;
}

/** `ld_imm64`, RFC 9669 section 5.4. */
export type WideInstruction =
  /** `value` is of 64 bits, signed. */
  | { readonly kind: 'load-immediate64'; readonly destination: Register; readonly value: bigint }
  | { readonly kind: 'load-address'; readonly destination: Register; readonly address: Address };

/** What a `ld_imm64` names by file descriptor, id or index; numbers are of 32 bits, signed. */
export type Address =
  | { readonly kind: 'map-fd'; readonly mapFd: number }
  | { readonly kind: 'map-value'; readonly mapFd: number; readonly byteOffset: number }
  /** A kernel variable by BTF id, in the module of that BTF fd, 0 for vmlinux. */
  | { readonly kind: 'variable'; readonly typeId: number; readonly btfFd: number }
  /** A function of the program, for a callback. */
  | { readonly kind: 'function'; readonly offset: number }
  /** Indexes are into `fd_array` of BPF_PROG_LOAD. */
  | { readonly kind: 'map-index'; readonly mapIndex: number }
  | { readonly kind: 'map-index-value'; readonly mapIndex: number; readonly byteOffset: number };

/** RFC 9669 section 4.3 without calls; `may-goto` is Linux's (6.9). */
export type JumpInstruction =
  /** A long one (`gotol`) has an offset of 32 bits, others of 16. */
  | { readonly kind: 'jump'; readonly isLong: boolean; readonly offset: number }
  | {
      readonly kind: 'jump-if';
      readonly width: Width;
      readonly condition: JumpCondition;
      readonly left: Register;
      readonly right: Operand;
      readonly offset: number;
    }
  /** Jumps once the program has gone around for too long. */
  | { readonly kind: 'may-goto'; readonly offset: number }
  | { readonly kind: 'exit' };

/** RFC 9669 section 4.3.1. */
export type CallInstruction =
  | { readonly kind: 'call-helper'; readonly helperId: number }
  | { readonly kind: 'call-local'; readonly offset: number }
  /** A kernel function by BTF id; in the module whose BTF fd is at `fdArrayIndex`, 0 for vmlinux. */
  | { readonly kind: 'call-kfunc'; readonly typeId: number; readonly fdArrayIndex: number }
  /** LLVM's `callx`: no kernel takes it, compilers make it of a call through a pointer. */
  | { readonly kind: 'call-register'; readonly register: Register };

/** Slots that it takes. */
export function slotCountOf(instruction: Instruction): 1 | 2 {
  return instruction.kind === 'load-immediate64' || instruction.kind === 'load-address' ? 2 : 1;
}

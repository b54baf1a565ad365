import type { ConformanceGroup } from '../../../engine/bytecode/index.js';

/** Values that a field may have: any (of a register: 0 to 10), or these. */
type Allowed = 'any' | readonly number[];

/** Rows of one form. The destination is any register where the instruction has one. */
export interface RegistryRow {
  readonly opcodes: readonly number[];
  readonly source: Allowed;
  readonly offset: Allowed;
  readonly immediate: Allowed;
  readonly group: ConformanceGroup;
  readonly hasDestination: boolean;
}

const ZERO = [0] as const;
/** The four columns of the registry that a form shares. */
const form = (source: Allowed, offset: Allowed, immediate: Allowed, hasDestination = true) => ({
  source,
  offset,
  immediate,
  hasDestination,
});
const ALU_K = form(ZERO, ZERO, 'any');
const ALU_X = form('any', ZERO, ZERO);
const SIGNED_K = form(ZERO, [1], 'any');
const SIGNED_X = form('any', [1], ZERO);
const JUMP_K = form(ZERO, 'any', 'any');
const JUMP_X = form('any', 'any', ZERO);
const SWAP_32 = form(ZERO, ZERO, [16, 32]);
const SWAP_64 = form(ZERO, ZERO, [64]);
const ATOMIC = form('any', 'any', [0, 1, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, 0xe1, 0xf1]);

/**
 * The BPF Instruction Set registry of IANA as RFC 9669 fills it, rows of the same columns put together. Written
 * from the registry, not from our tables: it is what they are held against. 0x87 (`neg` of 64 bits) is there as
 * base32, which section 4.1 contradicts; the section, which the registry calls authoritative, is followed.
 */
export const IANA_REGISTRY: readonly RegistryRow[] = [
  { opcodes: [0x04, 0x14, 0x44, 0x54, 0x64, 0x74, 0xa4, 0xb4, 0xc4], ...ALU_K, group: 'base32' },
  { opcodes: [0x07, 0x17, 0x47, 0x57, 0x67, 0x77, 0xa7, 0xb7, 0xc7], ...ALU_K, group: 'base64' },
  { opcodes: [0x0c, 0x1c, 0x4c, 0x5c, 0x6c, 0x7c, 0xac, 0xbc, 0xcc], ...ALU_X, group: 'base32' },
  { opcodes: [0x0f, 0x1f, 0x4f, 0x5f, 0x6f, 0x7f, 0xaf, 0xbf, 0xcf], ...ALU_X, group: 'base64' },
  { opcodes: [0x24, 0x34, 0x94], ...ALU_K, group: 'divmul32' },
  { opcodes: [0x27, 0x37, 0x97], ...ALU_K, group: 'divmul64' },
  { opcodes: [0x2c, 0x3c, 0x9c], ...ALU_X, group: 'divmul32' },
  { opcodes: [0x2f, 0x3f, 0x9f], ...ALU_X, group: 'divmul64' },
  { opcodes: [0x34, 0x94], ...SIGNED_K, group: 'divmul32' },
  { opcodes: [0x37, 0x97], ...SIGNED_K, group: 'divmul64' },
  { opcodes: [0x3c, 0x9c], ...SIGNED_X, group: 'divmul32' },
  { opcodes: [0x3f, 0x9f], ...SIGNED_X, group: 'divmul64' },
  { opcodes: [0xbc], ...form('any', [8, 16], ZERO), group: 'base32' },
  { opcodes: [0xbf], ...form('any', [8, 16, 32], ZERO), group: 'base64' },
  { opcodes: [0x84], ...form(ZERO, ZERO, ZERO), group: 'base32' },
  { opcodes: [0x87], ...form(ZERO, ZERO, ZERO), group: 'base64' },
  { opcodes: [0xd4, 0xdc, 0xd7], ...SWAP_32, group: 'base32' },
  { opcodes: [0xd4, 0xdc, 0xd7], ...SWAP_64, group: 'base64' },
  {
    opcodes: [0x15, 0x25, 0x35, 0x45, 0x55, 0x65, 0x75, 0xa5, 0xb5, 0xc5, 0xd5],
    ...JUMP_K,
    group: 'base64',
  },
  {
    opcodes: [0x16, 0x26, 0x36, 0x46, 0x56, 0x66, 0x76, 0xa6, 0xb6, 0xc6, 0xd6],
    ...JUMP_K,
    group: 'base32',
  },
  {
    opcodes: [0x1d, 0x2d, 0x3d, 0x4d, 0x5d, 0x6d, 0x7d, 0xad, 0xbd, 0xcd, 0xdd],
    ...JUMP_X,
    group: 'base64',
  },
  {
    opcodes: [0x1e, 0x2e, 0x3e, 0x4e, 0x5e, 0x6e, 0x7e, 0xae, 0xbe, 0xce, 0xde],
    ...JUMP_X,
    group: 'base32',
  },
  { opcodes: [0x05], ...form(ZERO, 'any', ZERO, false), group: 'base32' },
  { opcodes: [0x06], ...form(ZERO, ZERO, 'any', false), group: 'base32' },
  { opcodes: [0x85], ...form([0, 1, 2], ZERO, 'any', false), group: 'base32' },
  { opcodes: [0x95], ...form(ZERO, ZERO, ZERO, false), group: 'base32' },
  { opcodes: [0x61, 0x69, 0x71], ...form('any', 'any', ZERO), group: 'base32' },
  { opcodes: [0x79], ...form('any', 'any', ZERO), group: 'base64' },
  { opcodes: [0x62, 0x6a, 0x72], ...form(ZERO, 'any', 'any'), group: 'base32' },
  { opcodes: [0x7a], ...form(ZERO, 'any', 'any'), group: 'base64' },
  { opcodes: [0x63, 0x6b, 0x73], ...form('any', 'any', ZERO), group: 'base32' },
  { opcodes: [0x7b], ...form('any', 'any', ZERO), group: 'base64' },
  { opcodes: [0x18], ...form([0, 1, 2, 3, 4, 5, 6], ZERO, 'any'), group: 'base64' },
  { opcodes: [0xc3], ...ATOMIC, group: 'atomic32' },
  { opcodes: [0xdb], ...ATOMIC, group: 'atomic64' },
  { opcodes: [0x20, 0x28, 0x30], ...form(ZERO, ZERO, 'any', false), group: 'packet' },
  { opcodes: [0x40, 0x48, 0x50], ...form('any', ZERO, 'any', false), group: 'packet' },
  // In section 5.2 of the RFC, and left out of its registry.
  { opcodes: [0x81, 0x89, 0x91], ...form('any', 'any', ZERO), group: 'base64' },
];

/** What is not of the RFC: kernel/bpf/verifier.c of Linux 6.15, and LLVM's `callx`. */
export const ADDITIONS: readonly RegistryRow[] = [
  // A kernel function of a module: the offset is an index into fd_array.
  { opcodes: [0x85], ...form([2], 'any', 'any', false), group: 'base32' },
  { opcodes: [0xbf], ...form('any', [1], 'any'), group: 'linux' },
  { opcodes: [0xe5], ...form(ZERO, 'any', ZERO, false), group: 'linux' },
  { opcodes: [0xc3, 0xcb, 0xd3, 0xdb], ...form('any', 'any', [0x100, 0x110]), group: 'linux' },
  { opcodes: [0x8d], ...form(ZERO, ZERO, ZERO), group: 'linux' },
];

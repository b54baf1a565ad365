import type { Instruction } from './instruction.js';

/**
 * RFC 9669 section 2.4: what a runtime may implement or leave out as a whole. `linux` is not of the RFC: the
 * instructions that only Linux (`may_goto`, `addr_space_cast`, acquire and release) or LLVM (`callx`) define.
 */
export type ConformanceGroup =
  | 'base32'
  | 'base64'
  | 'atomic32'
  | 'atomic64'
  | 'divmul32'
  | 'divmul64'
  | 'packet'
  | 'linux';

/** Groups whose presence means that of another: section 2.4 again. */
export const INCLUDED_GROUPS: Readonly<Partial<Record<ConformanceGroup, ConformanceGroup>>> = {
  base64: 'base32',
  atomic64: 'atomic32',
  divmul64: 'divmul32',
};

/** The smallest group that has the instruction; every one is in exactly one. */
export function conformanceGroupOf(instruction: Instruction): ConformanceGroup {
  switch (instruction.kind) {
    case 'alu':
      switch (instruction.operation) {
        case 'mul':
        case 'div':
        case 'mod':
        case 'sdiv':
        case 'smod':
          return instruction.width === 64 ? 'divmul64' : 'divmul32';
        default:
          return instruction.width === 64 ? 'base64' : 'base32';
      }
    case 'negate':
    case 'move-sign-extended':
    case 'jump-if':
      return instruction.width === 64 ? 'base64' : 'base32';
    case 'to-byte-order':
    case 'byte-swap':
      return instruction.bits === 64 ? 'base64' : 'base32';
    case 'load':
      // Into all 64 bits of the register.
      return instruction.bytes === 8 || instruction.isSigned ? 'base64' : 'base32';
    case 'store':
      return instruction.bytes === 8 ? 'base64' : 'base32';
    case 'load-packet':
      return 'packet';
    case 'atomic':
    case 'exchange':
    case 'compare-exchange':
      return instruction.bytes === 8 ? 'atomic64' : 'atomic32';
    case 'load-immediate64':
    case 'load-address':
      return 'base64';
    case 'jump':
    case 'exit':
    case 'call-helper':
    case 'call-local':
    case 'call-kfunc':
      return 'base32';
    case 'load-acquire':
    case 'store-release':
    case 'address-space-cast':
    case 'may-goto':
    case 'call-register':
      return 'linux';
  }
}

/** The groups that a runtime needs for this code, sorted; included ones are not named again. */
export function conformanceGroupsOf(instructions: Iterable<Instruction>): ConformanceGroup[] {
  const needed = new Set<ConformanceGroup>();
  for (const instruction of instructions) needed.add(conformanceGroupOf(instruction));
  for (const group of [...needed]) {
    const included = INCLUDED_GROUPS[group];
    if (included !== undefined) needed.delete(included);
  }
  return [...needed].sort();
}

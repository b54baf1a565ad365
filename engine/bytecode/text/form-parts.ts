import type { AtomicOperation, BinaryOperation } from '../instruction/instruction.js';

/** What the two forms have in common. */

export const OPERATORS = {
  add: '+=',
  sub: '-=',
  mul: '*=',
  div: '/=',
  or: '|=',
  and: '&=',
  lsh: '<<=',
  rsh: '>>=',
  mod: '%=',
  xor: '^=',
  mov: '=',
  arsh: 's>>=',
  sdiv: 's/=',
  smod: 's%=',
} as const satisfies Record<BinaryOperation, string>;

export const ATOMIC_OPERATORS = {
  add: '+=',
  or: '|=',
  and: '&=',
  xor: '^=',
} as const satisfies Record<AtomicOperation, string>;

/** `u32`, and `s32` for a sign-extending load. */
export function accessType(bytes: number, isSigned = false): string {
  return `${isSigned ? 's' : 'u'}${bytes * 8}`;
}

/** `+5`, `-5`, `+0` */
export function signed(value: number): string {
  return value < 0 ? String(value) : `+${value}`;
}

/** Two 32-bit halves as one unsigned number. */
export function joined(low: number, high: number): bigint {
  return (BigInt.asUintN(32, BigInt(high)) << 32n) | BigInt.asUintN(32, BigInt(low));
}

import type { ErrorCode } from '../../engine/errors/index.js';
import type { Random } from './random.js';

/** One reader of hostile input, and how to be hostile to it. */
export interface FuzzTarget {
  readonly name: string;
  /** The codes that its input may be refused with: those that its documentation names, no others. */
  readonly codes: readonly ErrorCode[];
  /** Good inputs to begin with, made from objects that compilers wrote. */
  seeds(objects: readonly Uint8Array[]): readonly Uint8Array[];
  mutate(random: Random, seed: Uint8Array, seeds: readonly Uint8Array[]): Uint8Array;
  /** Reads one input to the end, with everything that is read only when asked for. */
  run(input: Uint8Array): void | Promise<void>;
}

/** What reading an object may be refused with (`readObject`). */
export const OBJECT_CODES: readonly ErrorCode[] = [
  'BYTES_OUT_OF_RANGE',
  'ELF_MALFORMED',
  'ELF_UNSUPPORTED',
  'BTF_MALFORMED',
  'BTF_EXT_MALFORMED',
  'OBJECT_MALFORMED',
  'OBJECT_UNSUPPORTED',
  'CORE_UNSUPPORTED',
];

/** What CO-RE relocations of an object that was read may be refused with. */
export const CORE_CODES: readonly ErrorCode[] = [
  'BTF_MALFORMED',
  'CORE_MALFORMED',
  'CORE_UNSUPPORTED',
  'CORE_AMBIGUOUS',
  'CORE_INSTRUCTION_MISMATCH',
];

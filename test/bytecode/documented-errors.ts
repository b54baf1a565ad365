import { expect } from 'vitest';
import { type ErrorCode, VespidError } from '../../engine/errors/index.js';

/** Codes that reading hostile bytes may end in. Anything else, a RangeError for example, is a fault of ours. */
export const READING_CODES: readonly ErrorCode[] = [
  'BYTES_OUT_OF_RANGE',
  'ELF_MALFORMED',
  'ELF_UNSUPPORTED',
  'BTF_MALFORMED',
  'BTF_EXT_MALFORMED',
  'OBJECT_MALFORMED',
  'OBJECT_UNSUPPORTED',
  'OBJECT_SECTION_UNKNOWN',
  'CORE_MALFORMED',
  'CORE_UNSUPPORTED',
  'CORE_AMBIGUOUS',
  'CORE_INSTRUCTION_MISMATCH',
];

/** Codes that taking code apart may end in. */
export const INSTRUCTION_CODES: readonly ErrorCode[] = [
  'INSTRUCTION_TRUNCATED',
  'INSTRUCTION_UNKNOWN',
  'INSTRUCTION_RESERVED_FIELD',
  'INSTRUCTION_LIMIT',
];

/** The error that `action` throws, which must be one of ours. */
export function thrownBy(action: () => unknown): VespidError | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof VespidError) return error;
    throw error;
  }
}

export function expectCode(code: ErrorCode, action: () => unknown, message?: RegExp): void {
  const error = thrownBy(action);
  expect(error?.code).toBe(code);
  if (message !== undefined) expect(error?.message).toMatch(message);
}

/** Runs `action`, which may fail, but only in a documented way. */
export function expectDocumented(action: () => unknown): void {
  const error = thrownBy(action);
  if (error !== undefined) expect(READING_CODES).toContain(error.code);
}

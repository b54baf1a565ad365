import type { FieldDefinition, HookDefinition } from './definition.js';

/**
 * The record that a program puts into the ring buffer: little-endian, a fixed header, one slot per field in
 * the order of the hook's definition, then the bytes of the strings in that same order.
 *
 * | offset | size | header                                                         |
 * |--------|------|----------------------------------------------------------------|
 * | 0      | 2    | layout version, {@link RECORD_VERSION}                         |
 * | 2      | 2    | hook id                                                        |
 * | 4      | 4    | bytes in the whole record                                      |
 * | 8      | 8    | time, nanoseconds of CLOCK_BOOTTIME                            |
 * | 16     | 8    | rules that matched, bit n = rule n of the program's rule table |
 * | 24     | 1    | verdict, {@link RECORD_VERDICTS}                               |
 * | 25     | 1    | flags, {@link RECORD_FLAG_INCOMPLETE}                          |
 * | 26     | 2    | zero                                                           |
 * | 28     | 4    | program cookie: which loaded program, given by the loader      |
 *
 * | field type        | slot                                                              |
 * |-------------------|-------------------------------------------------------------------|
 * | int, bool, enum   | 8 bytes, unsigned                                                 |
 * | ip                | 24 bytes: u32 family (2 or 10), u32 zero, 16 address bytes         |
 * | string            | 8 bytes: u32 length in bytes, u32 {@link STRING_STATUS}           |
 * | bytes             | its length, rounded up to 8                                       |
 */
export const RECORD_VERSION = 1;
export const RECORD_HEADER_BYTES = 32;
export const RECORD_OFFSET = {
  version: 0,
  hookId: 2,
  byteLength: 4,
  timeNs: 8,
  matchedRules: 16,
  verdict: 24,
  flags: 25,
  programCookie: 28,
} as const;

/** What the program did: the index is the byte in the record. */
export const RECORD_VERDICTS = ['audit', 'deny', 'kill'] as const;
export type RecordVerdict = (typeof RECORD_VERDICTS)[number];

/** Set when a rule matched because a field it needs could not be read whole (rules fail closed). */
export const RECORD_FLAG_INCOMPLETE = 1;

/** Bits of a string slot's second word. */
export const STRING_STATUS = { truncated: 1, unavailable: 2 } as const;

/** `matchedRules` has 64 bits. */
export const MAX_RULES_PER_PROGRAM = 64;

export interface RecordSlot {
  readonly field: FieldDefinition;
  readonly byteOffset: number;
  readonly byteLength: number;
}

export interface RecordLayout {
  readonly hook: HookDefinition;
  readonly slots: readonly RecordSlot[];
  /** Header and slots: where the strings' bytes start. */
  readonly fixedBytes: number;
  /** `fixedBytes` and every string at its longest. */
  readonly maxBytes: number;
}

function slotBytes(field: FieldDefinition): number {
  switch (field.type.kind) {
    case 'ip':
      return 24;
    case 'bytes':
      return Math.ceil(field.type.byteLength / 8) * 8;
    default:
      return 8;
  }
}

/** The layout of a hook's records: a function of the hook's field list alone. */
export function recordLayout(hook: HookDefinition): RecordLayout {
  let byteOffset = RECORD_HEADER_BYTES;
  let stringBytes = 0;
  const slots = hook.fields.map((field) => {
    const slot = { field, byteOffset, byteLength: slotBytes(field) };
    byteOffset += slot.byteLength;
    if (field.type.kind === 'string') stringBytes += field.type.maxBytes;
    return slot;
  });
  return { hook, slots, fixedBytes: byteOffset, maxBytes: byteOffset + stringBytes };
}

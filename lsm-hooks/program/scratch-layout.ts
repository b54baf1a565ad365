import { VespidError } from '../../engine/errors/index.js';
import type { FieldDefinition, HookDefinition } from '../definition.js';
import { PATH_MAX_BYTES } from '../process-fields.js';
import { type RecordLayout, recordLayout } from '../record-layout.js';

/**
 * Working memory of one run of a hook program: 512 bytes of stack hold no path. It is one value of a per-CPU
 * array; see `slot-claim.ts` for why one CPU has several.
 */
export const SCRATCH = {
  /** u32: 1 while a run owns this value. */
  busy: 0,
  /** u32: next byte of the record's string area, while the record is written. */
  cursor: 4,
  /** u64: bit n = string n of the layout has been gathered; from {@link FIRST_FACT_BIT} on, facts beside a string. */
  present: 8,
  /** State of the walk that gathers a string: a path (kernel pointers) or arguments (user pointers). */
  walk: {
    dentry: 16,
    mount: 24,
    mountRoot: 48,
    position: 56,
    finished: 60,
    argument: 16,
    argumentsEnd: 24,
  },
  /** 64 bytes that belong to the hook: a socket address, a digest. */
  hookData: 64,
  strings: 128,
} as const;

/** In `present`: no hook has more strings than bits below it. */
export const FIRST_FACT_BIT = 16;

/** Byte offsets within the state of one string. */
export const STRING_STATE = { start: 0, length: 4, status: 8, byteLength: 16 } as const;

/** The longest name of a directory entry, NAME_MAX, and one slash: how far a path step can write past its start. */
const PATH_STEP_BYTES = 256;

/** A per-CPU map value is limited by PCPU_MIN_UNIT_SIZE (include/linux/percpu.h). */
export const MAX_SCRATCH_BYTES = 32 * 1024;

/** Where a string stands: paths grow backwards from the end of their buffer, others forwards from the start. */
export interface StringPlace {
  readonly field: FieldDefinition;
  readonly index: number;
  readonly anchored: 'start' | 'end';
  readonly stateOffset: number;
  readonly bufferOffset: number;
  /** Bytes that the string itself may take. */
  readonly capacity: number;
}

/**
 * Keeps every index into a string as it is, and tells the verifier that it is bounded: all bits below the power of two
 * that holds the capacity. The room behind the string is as large again, so that the bound lies within.
 */
export function indexMask({ capacity }: StringPlace): number {
  return 2 ** Math.ceil(Math.log2(capacity)) - 1;
}

export interface ScratchLayout {
  readonly hook: HookDefinition;
  readonly record: RecordLayout;
  readonly recordOffset: number;
  readonly strings: ReadonlyMap<string, StringPlace>;
  readonly byteLength: number;
}

/**
 * @param longestConstant for a field, the bytes of the longest constant it is compared with: the verifier wants
 *   that many readable bytes after any place where the string may start
 * @throws VespidError COMPILE_LIMIT when a hook needs more than a per-CPU value can hold
 */
export function scratchLayout(
  hook: HookDefinition,
  longestConstant: ReadonlyMap<string, number>,
): ScratchLayout {
  const record = recordLayout(hook);
  const fields = hook.fields.filter((field) => field.type.kind === 'string');
  const recordOffset = SCRATCH.strings + fields.length * STRING_STATE.byteLength;
  let next = align8(recordOffset + record.maxBytes);
  const strings = new Map<string, StringPlace>();
  fields.forEach((field, index) => {
    if (field.type.kind !== 'string') return;
    const anchored = field.type.maxBytes === PATH_MAX_BYTES ? 'end' : 'start';
    const capacity = field.type.maxBytes;
    const slack =
      align8(longestConstant.get(field.name) ?? 0) + (anchored === 'end' ? PATH_STEP_BYTES : capacity);
    strings.set(field.name, {
      field,
      index,
      anchored,
      stateOffset: SCRATCH.strings + index * STRING_STATE.byteLength,
      bufferOffset: next,
      capacity,
    });
    next += align8(capacity + slack);
  });
  if (next > MAX_SCRATCH_BYTES) {
    throw new VespidError(
      'COMPILE_LIMIT',
      `${hook.name} needs ${next} bytes of working memory, more than ${MAX_SCRATCH_BYTES}`,
      { hint: 'compare with shorter constants' },
    );
  }
  return { hook, record, recordOffset, strings, byteLength: next };
}

function align8(value: number): number {
  return Math.ceil(value / 8) * 8;
}

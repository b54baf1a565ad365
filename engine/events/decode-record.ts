import {
  type FieldType,
  HOOKS_BY_ID,
  ipv4Text,
  ipv6Text,
  RECORD_FLAG_INCOMPLETE,
  RECORD_HEADER_BYTES,
  RECORD_OFFSET,
  RECORD_VERDICTS,
  RECORD_VERSION,
  type RecordLayout,
  type RecordSlot,
  type RecordVerdict,
  recordLayout,
  STRING_STATUS,
} from '../../lsm-hooks/index.js';
import { type ErrorCode, VespidError } from '../errors/index.js';

/** An int is a bigint only where a number cannot hold it exactly. */
export type FieldValue = string | number | bigint | boolean;

/** A record with its values read. Everything but `bytes` is a copy that outlives the ring buffer. */
export interface DecodedRecord {
  readonly layout: RecordLayout;
  /** Nanoseconds of CLOCK_BOOTTIME. */
  readonly timeNs: bigint;
  /** Bit n = rule n of the program's rule table. */
  readonly matchedRules: bigint;
  readonly verdict: RecordVerdict;
  /** A rule matched because a field that it needs could not be read whole. */
  readonly failedClosed: boolean;
  readonly programCookie: number;
  /** One for each field of the hook, in its order; undefined where the kernel could not read it. */
  readonly values: readonly (FieldValue | undefined)[];
  /** Names of the fields that are cut short or could not be read. */
  readonly incomplete: readonly string[];
  /** The record itself, not copied: valid only as long as the memory that it was decoded from. */
  readonly bytes: Uint8Array;
}

type ReadFixed = (record: Buffer, byteOffset: number) => FieldValue | undefined;

/** How to read one slot; a string has its length in the slot and its bytes after all slots. */
type SlotReader = RecordSlot & ({ readonly read: ReadFixed } | { readonly maxBytes: number });

interface HookReader {
  readonly layout: RecordLayout;
  readonly slots: readonly SlotReader[];
}

const AF_INET = 2;
const AF_INET6 = 10;
/** From here on a high word makes the integer larger than Number.MAX_SAFE_INTEGER. */
const UNSAFE_HIGH_WORD = 2 ** 21;
const ALL_STRING_STATUS = STRING_STATUS.truncated | STRING_STATUS.unavailable;
const NO_NAMES: readonly string[] = [];

const HOOK_READERS: ReadonlyMap<number, HookReader> = new Map(
  [...HOOKS_BY_ID].map(([id, hook]) => {
    const layout = recordLayout(hook);
    return [id, { layout, slots: layout.slots.map((slot) => ({ ...slot, ...slotReader(slot.field.type) })) }];
  }),
);

/**
 * Reads one record of the ring buffer, layout in `lsm-hooks/record-layout.ts`.
 *
 * @param bytes exactly one record
 * @throws VespidError EVENT_RECORD_SHORT, EVENT_RECORD_VERSION, EVENT_RECORD_HOOK, EVENT_RECORD_LENGTH,
 *   EVENT_RECORD_MALFORMED
 */
export function decodeRecord(bytes: Uint8Array): DecodedRecord {
  const record = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { layout, slots } = readerFor(record);
  const verdict = RECORD_VERDICTS[record.readUInt8(RECORD_OFFSET.verdict)];
  const flags = record.readUInt8(RECORD_OFFSET.flags);
  // The two bytes after the flags are zero in this version; so are the flags that it does not define.
  if (verdict === undefined || (flags & ~RECORD_FLAG_INCOMPLETE) !== 0 || record.readUInt16LE(26) !== 0) {
    const header = record.toString('hex', RECORD_OFFSET.verdict, RECORD_OFFSET.programCookie);
    throw refused('EVENT_RECORD_MALFORMED', `${layout.hook.name}: verdict, flags and padding are ${header}`);
  }
  return {
    layout,
    timeNs: record.readBigUInt64LE(RECORD_OFFSET.timeNs),
    matchedRules: record.readBigUInt64LE(RECORD_OFFSET.matchedRules),
    verdict,
    failedClosed: (flags & RECORD_FLAG_INCOMPLETE) !== 0,
    programCookie: record.readUInt32LE(RECORD_OFFSET.programCookie),
    ...readFields(record, layout, slots),
    bytes,
  };
}

/** Checks the parts of the header that say how long the record must be. */
function readerFor(record: Buffer): HookReader {
  if (record.length < RECORD_HEADER_BYTES) {
    throw refused(
      'EVENT_RECORD_SHORT',
      `expected at least ${RECORD_HEADER_BYTES} bytes of header, got ${record.length}`,
    );
  }
  const version = record.readUInt16LE(RECORD_OFFSET.version);
  if (version !== RECORD_VERSION) {
    throw refused('EVENT_RECORD_VERSION', `expected layout version ${RECORD_VERSION}, got ${version}`);
  }
  const hookId = record.readUInt16LE(RECORD_OFFSET.hookId);
  const reader = HOOK_READERS.get(hookId);
  if (reader === undefined) throw refused('EVENT_RECORD_HOOK', `no hook has the id ${hookId}`);
  const { fixedBytes, hook } = reader.layout;
  const stated = record.readUInt32LE(RECORD_OFFSET.byteLength);
  if (stated !== record.length || stated < fixedBytes) {
    throw refused(
      'EVENT_RECORD_LENGTH',
      `${hook.name}: the header states ${stated} bytes, the record has ${record.length}, its slots need ${fixedBytes}`,
    );
  }
  return reader;
}

function readFields(
  record: Buffer,
  layout: RecordLayout,
  slots: readonly SlotReader[],
): Pick<DecodedRecord, 'values' | 'incomplete'> {
  const values: (FieldValue | undefined)[] = [];
  let incomplete: string[] | undefined;
  let textOffset = layout.fixedBytes;
  for (const slot of slots) {
    let value: FieldValue | undefined;
    let status = 0;
    if ('read' in slot) {
      value = slot.read(record, slot.byteOffset);
    } else {
      const byteLength = record.readUInt32LE(slot.byteOffset);
      status = record.readUInt32LE(slot.byteOffset + 4);
      checkString(slot, byteLength, status, record.length - textOffset);
      if (byteLength > 0 || (status & STRING_STATUS.unavailable) === 0) {
        value = record.toString('utf8', textOffset, textOffset + byteLength);
      }
      textOffset += byteLength;
    }
    if (value === undefined || status !== 0) {
      incomplete ??= [];
      incomplete.push(slot.field.name);
    }
    values.push(value);
  }
  if (textOffset !== record.length) {
    throw refused(
      'EVENT_RECORD_LENGTH',
      `${layout.hook.name}: ${record.length - textOffset} bytes are left after the last string`,
    );
  }
  return { values, incomplete: incomplete ?? NO_NAMES };
}

function checkString(
  slot: RecordSlot & { readonly maxBytes: number },
  byteLength: number,
  status: number,
  bytesLeft: number,
): void {
  if (byteLength > slot.maxBytes || byteLength > bytesLeft) {
    throw refused(
      'EVENT_RECORD_LENGTH',
      `${slot.field.name}: a string of ${byteLength} bytes, at most ${slot.maxBytes} are allowed and ${bytesLeft} are left`,
    );
  }
  if ((status & ~ALL_STRING_STATUS) !== 0) {
    throw refused('EVENT_RECORD_MALFORMED', `${slot.field.name}: unknown string status ${status}`);
  }
}

function slotReader(type: FieldType): { readonly read: ReadFixed } | { readonly maxBytes: number } {
  switch (type.kind) {
    case 'string':
      return { maxBytes: type.maxBytes };
    case 'int':
      return { read: readInteger };
    case 'bool':
      return { read: (record, byteOffset) => readInteger(record, byteOffset) !== 0 };
    case 'ip':
      return { read: readAddress };
    case 'bytes':
      return {
        read: (record, byteOffset) => record.toString('hex', byteOffset, byteOffset + type.byteLength),
      };
    case 'enum': {
      const names = new Map<number | bigint, string>(
        Object.entries(type.values).map(([name, value]) => [value, name]),
      );
      return {
        read: (record, byteOffset) => {
          const value = readInteger(record, byteOffset);
          return names.get(value) ?? `other(${value})`;
        },
      };
    }
  }
}

function readInteger(record: Buffer, byteOffset: number): number | bigint {
  const high = record.readUInt32LE(byteOffset + 4);
  return high < UNSAFE_HIGH_WORD
    ? high * 2 ** 32 + record.readUInt32LE(byteOffset)
    : record.readBigUInt64LE(byteOffset);
}

function readAddress(record: Buffer, byteOffset: number): string | undefined {
  const family = record.readUInt32LE(byteOffset);
  switch (family) {
    case 0:
      return undefined;
    case AF_INET:
      return ipv4Text(record, byteOffset + 8);
    case AF_INET6:
      return ipv6Text(record, byteOffset + 8);
    default:
      throw refused('EVENT_RECORD_MALFORMED', `an address of family ${family}, expected 2 or 10`);
  }
}

function refused(code: ErrorCode, message: string): VespidError {
  return new VespidError(code, `event record: ${message}`, {
    hint: 'the loaded program and this process must be of the same version',
  });
}

import {
  type FieldDefinition,
  type HookDefinition,
  RECORD_FLAG_INCOMPLETE,
  RECORD_OFFSET,
  RECORD_VERDICTS,
  RECORD_VERSION,
  type RecordSlot,
  type RecordVerdict,
  recordLayout,
  STRING_STATUS,
} from '../../lsm-hooks/index.js';

/** What a field holds before encoding: the raw form that the kernel program sees. */
export type RawField =
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'ip'; readonly family: number; readonly bytes: readonly number[] }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'string'; readonly bytes: Uint8Array; readonly status: number };

export interface RawRecord {
  readonly hook: HookDefinition;
  readonly timeNs?: bigint;
  readonly matchedRules?: bigint;
  readonly verdict?: RecordVerdict;
  readonly failedClosed?: boolean;
  readonly programCookie?: number;
  /** By field name; one that is missing is zero or empty. */
  readonly fields?: Readonly<Record<string, RawField>>;
}

export const integer = (value: number | bigint): RawField => ({ kind: 'integer', value: BigInt(value) });
export const text = (value: string, status = 0): RawField => ({
  kind: 'string',
  bytes: new TextEncoder().encode(value),
  status,
});
export const unavailable = (): RawField => text('', STRING_STATUS.unavailable);
export const ipv4 = (...bytes: number[]): RawField => ({ kind: 'ip', family: 2, bytes });

/** Writes the record that a kernel program would write. */
export function encodeRecord(raw: RawRecord): Buffer {
  const layout = recordLayout(raw.hook);
  const fixed = Buffer.alloc(layout.fixedBytes);
  const strings: Uint8Array[] = [];
  for (const slot of layout.slots) {
    const field = raw.fields?.[slot.field.name] ?? emptyField(slot.field);
    writeSlot(fixed, slot, field);
    if (field.kind === 'string') strings.push(field.bytes);
  }
  const record = Buffer.concat([fixed, ...strings]);
  record.writeUInt16LE(RECORD_VERSION, RECORD_OFFSET.version);
  record.writeUInt16LE(raw.hook.id, RECORD_OFFSET.hookId);
  record.writeUInt32LE(record.length, RECORD_OFFSET.byteLength);
  record.writeBigUInt64LE(raw.timeNs ?? 0n, RECORD_OFFSET.timeNs);
  record.writeBigUInt64LE(raw.matchedRules ?? 1n, RECORD_OFFSET.matchedRules);
  record.writeUInt8(RECORD_VERDICTS.indexOf(raw.verdict ?? 'audit'), RECORD_OFFSET.verdict);
  record.writeUInt8(raw.failedClosed === true ? RECORD_FLAG_INCOMPLETE : 0, RECORD_OFFSET.flags);
  record.writeUInt32LE(raw.programCookie ?? 1, RECORD_OFFSET.programCookie);
  return record;
}

function writeSlot(record: Buffer, slot: RecordSlot, field: RawField): void {
  switch (field.kind) {
    case 'integer':
      record.writeBigUInt64LE(field.value, slot.byteOffset);
      break;
    case 'ip':
      record.writeUInt32LE(field.family, slot.byteOffset);
      record.set(field.bytes, slot.byteOffset + 8);
      break;
    case 'bytes':
      record.set(field.bytes, slot.byteOffset);
      break;
    case 'string':
      record.writeUInt32LE(field.bytes.length, slot.byteOffset);
      record.writeUInt32LE(field.status, slot.byteOffset + 4);
  }
}

function emptyField(field: FieldDefinition): RawField {
  switch (field.type.kind) {
    case 'string':
      return text('');
    case 'ip':
      return { kind: 'ip', family: 0, bytes: [] };
    case 'bytes':
      return { kind: 'bytes', bytes: new Uint8Array(field.type.byteLength) };
    default:
      return integer(0);
  }
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VespidError } from '../../engine/errors/index.js';
import { decodeRecord } from '../../engine/events/index.js';
import {
  FILE_OPEN,
  type FieldDefinition,
  HOOKS_BY_ID,
  type HookDefinition,
  NET_CONNECT,
  RECORD_HEADER_BYTES,
  RECORD_VERDICTS,
  recordLayout,
  STRING_STATUS,
} from '../../lsm-hooks/index.js';
import { encodeRecord, integer, ipv4, type RawField, text, unavailable } from './encode-record.js';
import { SAMPLE_RECORDS } from './sample-events.js';

const HOOKS = [...HOOKS_BY_ID.values()];

function codeOf(bytes: Uint8Array): string {
  try {
    decodeRecord(bytes);
  } catch (error) {
    if (error instanceof VespidError) return error.code;
    throw error;
  }
  return 'decoded';
}

function decodedField(hook: HookDefinition, name: string, field: RawField) {
  const record = decodeRecord(encodeRecord({ hook, fields: { [name]: field } }));
  const index = hook.fields.findIndex((candidate) => candidate.name === name);
  return { value: record.values[index], incomplete: record.incomplete.includes(name) };
}

/** A raw field of that type together with what it must decode to. */
function rawField({ type }: FieldDefinition): fc.Arbitrary<{ raw: RawField; value: unknown }> {
  switch (type.kind) {
    case 'string':
      return fc
        .string({ unit: 'grapheme', maxLength: 40 })
        .filter((value) => Buffer.byteLength(value) <= type.maxBytes)
        .map((value) => ({ raw: text(value), value }));
    case 'bytes':
      return fc
        .uint8Array({ minLength: type.byteLength, maxLength: type.byteLength })
        .map((bytes) => ({ raw: { kind: 'bytes', bytes }, value: Buffer.from(bytes).toString('hex') }));
    case 'ip':
      return fc
        .array(fc.nat(255), { minLength: 4, maxLength: 4 })
        .map((bytes) => ({ raw: ipv4(...bytes), value: bytes.join('.') }));
    case 'bool':
      return fc.boolean().map((value) => ({ raw: integer(value ? 1 : 0), value }));
    case 'enum':
      return fc
        .constantFrom(...Object.entries(type.values))
        .map(([value, number]) => ({ raw: integer(number), value }));
    case 'int':
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => ({
        raw: integer(value),
        value: value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value,
      }));
  }
}

const anyRecord = fc.constantFrom(...HOOKS).chain((hook) =>
  fc.record({
    hook: fc.constant(hook),
    timeNs: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    matchedRules: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    verdict: fc.constantFrom(...RECORD_VERDICTS),
    failedClosed: fc.boolean(),
    programCookie: fc.nat(0xffff_ffff),
    fields: fc.tuple(...hook.fields.map(rawField)),
  }),
);

describe('decodeRecord', () => {
  it('gives back what was encoded', () => {
    fc.assert(
      fc.property(anyRecord, ({ fields, ...header }) => {
        const named = header.hook.fields.map((field, index) => [field.name, fields[index]?.raw]);
        const bytes = encodeRecord({ ...header, fields: Object.fromEntries(named) });
        const { hook, ...expected } = header;
        const record = decodeRecord(bytes);
        expect(record).toMatchObject(expected);
        expect(record.layout.hook).toBe(hook);
        expect(record.values).toEqual(fields.map(({ value }) => value));
        expect(record.incomplete).toEqual([]);
        expect(record.bytes).toBe(bytes);
      }),
    );
  });

  it('reads a record in the middle of a larger buffer', () => {
    const bytes = encodeRecord(SAMPLE_RECORDS['file.open']);
    const ring = new Uint8Array(bytes.length + 16);
    ring.set(bytes, 8);
    const record = decodeRecord(ring.subarray(8, 8 + bytes.length));
    expect(record.values).toEqual(decodeRecord(bytes).values);
  });

  it.each([
    ['an int of 2^53 - 1', FILE_OPEN, 'file.inode', integer(2n ** 53n - 1n), 2 ** 53 - 1, false],
    ['an int of 2^53', FILE_OPEN, 'file.inode', integer(2n ** 53n), 2n ** 53n, false],
    ['a bool that is neither 0 nor 1', FILE_OPEN, 'file.write', integer(2), true, false],
    ['a number without a name', NET_CONNECT, 'net.protocol', integer(200), 'other(200)', false],
    [
      'a number without a name beyond 2^53',
      NET_CONNECT,
      'net.protocol',
      integer(2n ** 63n),
      `other(${2n ** 63n})`,
      false,
    ],
    [
      'an address that was not read',
      NET_CONNECT,
      'net.address',
      { kind: 'ip', family: 0, bytes: [] },
      undefined,
      true,
    ],
    ['a string that was cut', FILE_OPEN, 'file.path', text('/a', STRING_STATUS.truncated), '/a', true],
    ['a string that was not read', FILE_OPEN, 'file.path', unavailable(), undefined, true],
    ['a string of which a part was read', FILE_OPEN, 'file.path', text('/a', 3), '/a', true],
    ['an empty string', FILE_OPEN, 'file.path', text(''), '', false],
    [
      'bytes that are not UTF-8',
      FILE_OPEN,
      'file.path',
      { kind: 'string', bytes: Uint8Array.of(0x2f, 0xff, 0x61), status: 0 },
      '/\ufffda',
      false,
    ],
    ['a byte order mark', FILE_OPEN, 'file.path', text('\ufeffa'), '\ufeffa', false],
  ] as const)('%s', (_, hook, name, field, value, incomplete) => {
    expect(decodedField(hook, name, field)).toEqual({ value, incomplete });
  });
});

describe('decodeRecord refuses', () => {
  const whole = encodeRecord(SAMPLE_RECORDS['file.open']);
  const pathSlot =
    recordLayout(FILE_OPEN).slots.find(({ field }) => field.name === 'file.path')?.byteOffset ?? 0;
  const addressSlot =
    recordLayout(NET_CONNECT).slots.find(({ field }) => field.name === 'net.address')?.byteOffset ?? 0;
  const changed = (change: (bytes: Buffer) => void, base: Buffer = whole) => {
    const bytes = Buffer.from(base);
    change(bytes);
    return bytes;
  };
  const cut = (byteLength: number) =>
    changed((bytes) => bytes.writeUInt32LE(byteLength, 4)).subarray(0, byteLength);

  it.each([
    ['nothing', new Uint8Array(0), 'EVENT_RECORD_SHORT'],
    ['a part of the header', whole.subarray(0, RECORD_HEADER_BYTES - 1), 'EVENT_RECORD_SHORT'],
    ['another layout version', changed((bytes) => bytes.writeUInt16LE(2, 0)), 'EVENT_RECORD_VERSION'],
    ['an unknown hook', changed((bytes) => bytes.writeUInt16LE(999, 2)), 'EVENT_RECORD_HOOK'],
    [
      'a length beyond the record',
      changed((bytes) => bytes.writeUInt32LE(whole.length + 1, 4)),
      'EVENT_RECORD_LENGTH',
    ],
    ['a record cut in its slots', cut(RECORD_HEADER_BYTES + 4), 'EVENT_RECORD_LENGTH'],
    ['a record cut in its strings', cut(whole.length - 1), 'EVENT_RECORD_LENGTH'],
    [
      'bytes after the last string',
      changed((bytes) => bytes.writeUInt32LE(whole.length + 1, 4), Buffer.concat([whole, Buffer.alloc(1)])),
      'EVENT_RECORD_LENGTH',
    ],
    [
      'a string longer than its field',
      changed((bytes) => bytes.writeUInt32LE(0xffff_ffff, pathSlot)),
      'EVENT_RECORD_LENGTH',
    ],
    [
      'an unknown string status',
      changed((bytes) => bytes.writeUInt32LE(4, pathSlot + 4)),
      'EVENT_RECORD_MALFORMED',
    ],
    ['an unknown verdict', changed((bytes) => bytes.writeUInt8(3, 24)), 'EVENT_RECORD_MALFORMED'],
    ['an unknown flag', changed((bytes) => bytes.writeUInt8(2, 25)), 'EVENT_RECORD_MALFORMED'],
    [
      'reserved bytes that are not zero',
      changed((bytes) => bytes.writeUInt16LE(1, 26)),
      'EVENT_RECORD_MALFORMED',
    ],
    [
      'an address of another family',
      changed((bytes) => bytes.writeUInt32LE(1, addressSlot), encodeRecord(SAMPLE_RECORDS['net.connect'])),
      'EVENT_RECORD_MALFORMED',
    ],
  ])('%s', (_, bytes, code) => {
    expect(codeOf(bytes)).toBe(code);
  });

  it('damaged records with a listed code, or reads them', () => {
    const listed = ['decoded', 'SHORT', 'VERSION', 'HOOK', 'LENGTH', 'MALFORMED'].map((name) =>
      name === 'decoded' ? name : `EVENT_RECORD_${name}`,
    );
    const damage = fc.record({
      record: fc.constantFrom(...Object.values(SAMPLE_RECORDS).map((record) => encodeRecord(record))),
      edits: fc.array(fc.tuple(fc.nat(1023), fc.nat(255)), { maxLength: 8 }),
      keep: fc.nat(1023),
      restateLength: fc.boolean(),
    });
    fc.assert(
      fc.property(damage, ({ record, edits, keep, restateLength }) => {
        const bytes = Buffer.from(record.subarray(0, Math.max(8, record.length - (keep % 64))));
        for (const [at, value] of edits) bytes[at % bytes.length] = value;
        if (restateLength) bytes.writeUInt32LE(bytes.length, 4);
        expect(listed).toContain(codeOf(bytes));
      }),
      { numRuns: 2000 },
    );
  });
});

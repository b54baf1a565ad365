import { VespidError } from '../../errors/index.js';
import { ByteReader } from '../byte-reader.js';
import { ByteWriter } from '../byte-writer.js';
import type { BtfBuilder } from './btf-builder.js';
import { BTF_MAGIC, BTF_VERSION } from './btf-format.js';
import { magicByteOrder } from './btf-header.js';
import type { Btf } from './btf-reader.js';

/** Header with the CO-RE fields, as clang writes it since version 10. */
const HEADER_BYTES = 32;
/** Header without them, of older compilers. */
const SHORT_HEADER_BYTES = 24;

const FUNCTION_RECORD_BYTES = 8;
const LINE_RECORD_BYTES = 16;
const CORE_RECORD_BYTES = 16;
/** The kernel's MAX_FUNCINFO_REC_SIZE; a page, for the other two. Larger is a damaged length. */
const MAX_RECORD_BYTES = 4096;

/** Facts about instructions of one ELF section. Byte offsets count from the section's start. */
export interface BtfExt {
  readonly functions: readonly SectionRecords<FunctionRecord>[];
  readonly lines: readonly SectionRecords<LineRecord>[];
  readonly coreRelocations: readonly SectionRecords<CoreRecord>[];
}

export interface SectionRecords<T> {
  readonly section: string;
  readonly records: readonly T[];
}

/** `struct bpf_func_info`: the BTF type (kind function) of the function that begins there. */
export interface FunctionRecord {
  readonly byteOffset: number;
  readonly typeId: number;
}

/** `struct bpf_line_info`; the names are places in the strings of the object's BTF. */
export interface LineRecord {
  readonly byteOffset: number;
  readonly fileNameOffset: number;
  readonly sourceOffset: number;
  readonly line: number;
  readonly column: number;
}

/** `struct bpf_core_relo` */
export interface CoreRecord {
  readonly byteOffset: number;
  readonly typeId: number;
  /** Member and array indexes from the type inwards: `0:3:1`. */
  readonly access: string;
  /** enum bpf_core_relo_kind */
  readonly kind: number;
}

/**
 * Reads a .BTF.ext section, whose strings are in the object's .BTF (Documentation/bpf/btf.rst, section 4.2).
 * @param bytes of either byte order, which the magic tells
 * @throws VespidError BTF_EXT_MALFORMED, BTF_MALFORMED (a bad string) or BYTES_OUT_OF_RANGE
 */
export function readBtfExt(bytes: Uint8Array, btf: Btf, label: string): BtfExt {
  const reader = new ByteReader(bytes, label, magicByteOrder(bytes));
  if (reader.u16(0) !== BTF_MAGIC || reader.u8(2) !== BTF_VERSION || reader.u8(3) !== 0) {
    throw malformed(label, 'BTF magic, version 1 and no flags expected');
  }
  const headerBytes = reader.u32(4);
  if (headerBytes !== SHORT_HEADER_BYTES && headerBytes !== HEADER_BYTES) {
    throw malformed(
      label,
      `header of ${SHORT_HEADER_BYTES} or ${HEADER_BYTES} bytes expected, got ${headerBytes}`,
    );
  }
  const part = (at: number, what: string): ByteReader =>
    reader.part(headerBytes + reader.u32(at), reader.u32(at + 4), `${label}: ${what}`);
  const functions = part(8, 'function records');
  const lines = part(16, 'line records');
  const empty = new ByteReader(new Uint8Array(0), label);
  const core = headerBytes === HEADER_BYTES ? part(24, 'CO-RE records') : empty;
  if (headerBytes + functions.byteLength + lines.byteLength + core.byteLength !== reader.byteLength) {
    throw malformed(label, `${reader.byteLength} bytes, but the header describes another length`);
  }
  return {
    functions: readRecords(functions, btf, FUNCTION_RECORD_BYTES, (at) => ({
      byteOffset: functions.u32(at),
      typeId: functions.u32(at + 4),
    })),
    lines: readRecords(lines, btf, LINE_RECORD_BYTES, (at) => ({
      byteOffset: lines.u32(at),
      fileNameOffset: lines.u32(at + 4),
      sourceOffset: lines.u32(at + 8),
      line: lines.u32(at + 12) >>> 10,
      column: lines.u32(at + 12) & 0x3ff,
    })),
    coreRelocations: readRecords(core, btf, CORE_RECORD_BYTES, (at) => ({
      byteOffset: core.u32(at),
      typeId: core.u32(at + 4),
      access: btf.string(core.u32(at + 8)),
      kind: core.u32(at + 12),
    })),
  };
}

/** A record size, then for each section its name, a count and the records. Longer records may come later. */
function readRecords<T>(
  reader: ByteReader,
  btf: Btf,
  knownBytes: number,
  decode: (at: number) => T,
): SectionRecords<T>[] {
  const sections: SectionRecords<T>[] = [];
  if (reader.byteLength === 0) return sections;
  const recordBytes = reader.u32(0);
  if (recordBytes < knownBytes || recordBytes > MAX_RECORD_BYTES || recordBytes % 4 !== 0) {
    throw malformed(reader.label, `records of ${recordBytes} bytes`);
  }
  let at = 4;
  while (at < reader.byteLength) {
    const section = btf.string(reader.u32(at));
    const count = reader.u32(at + 4);
    at += 8;
    if (count === 0) throw malformed(reader.label, `section ${section} without records`);
    reader.slice(at, count * recordBytes);
    const end = at + count * recordBytes;
    const records: T[] = [];
    for (; at < end; at += recordBytes) records.push(decode(at));
    sections.push({ section, records });
  }
  return sections;
}

/** Writes .BTF.ext; its strings go into `strings`, so that the BTF must be built after this. */
export function writeBtfExt(ext: BtfExt, strings: BtfBuilder): Uint8Array {
  const functions = writeRecords(ext.functions, FUNCTION_RECORD_BYTES, strings, (out, record) =>
    out.u32(record.byteOffset).u32(record.typeId),
  );
  const lines = writeRecords(ext.lines, LINE_RECORD_BYTES, strings, (out, record) =>
    out
      .u32(record.byteOffset)
      .u32(record.fileNameOffset)
      .u32(record.sourceOffset)
      .u32(record.line * 1024 + record.column),
  );
  const core = writeRecords(ext.coreRelocations, CORE_RECORD_BYTES, strings, (out, record) =>
    out.u32(record.byteOffset).u32(record.typeId).u32(strings.stringOffset(record.access)).u32(record.kind),
  );
  return new ByteWriter()
    .u16(BTF_MAGIC)
    .u8(BTF_VERSION)
    .u8(0)
    .u32(HEADER_BYTES)
    .u32(0)
    .u32(functions.byteLength)
    .u32(functions.byteLength)
    .u32(lines.byteLength)
    .u32(functions.byteLength + lines.byteLength)
    .u32(core.byteLength)
    .bytes(functions)
    .bytes(lines)
    .bytes(core)
    .finish();
}

function writeRecords<T>(
  sections: readonly SectionRecords<T>[],
  recordBytes: number,
  strings: BtfBuilder,
  encode: (out: ByteWriter, record: T) => void,
): Uint8Array {
  const out = new ByteWriter();
  const filled = sections.filter(({ records }) => records.length > 0);
  if (filled.length === 0) return out.finish();
  out.u32(recordBytes);
  for (const { section, records } of filled) {
    out.u32(strings.stringOffset(section)).u32(records.length);
    for (const record of records) encode(out, record);
  }
  return out.finish();
}

function malformed(label: string, message: string): VespidError {
  return new VespidError('BTF_EXT_MALFORMED', `${label}: ${message}`, {
    hint: 'build the object again with clang -g; the section must not be stripped or edited',
  });
}

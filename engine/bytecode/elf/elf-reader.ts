import { VespidError } from '../../errors/index.js';
import { type ByteOrder, ByteReader } from '../byte-reader.js';
import {
  ELF_BIG_ENDIAN,
  ELF_CLASS_64,
  ELF_LITTLE_ENDIAN,
  ELF_MACHINE_BPF,
  ELF_MAGIC,
  ELF_TYPE_RELOCATABLE,
  ELF_VERSION,
  FILE_HEADER_BYTES,
  SECTION_HEADER_BYTES,
  SECTION_INDEX_EXTENDED,
  SECTION_INDEX_RESERVED,
  SECTION_TYPE,
  SYMBOL_BYTES,
} from './elf-format.js';
import { ElfNames } from './elf-names.js';
import { ElfRelocations } from './elf-relocations.js';

/** The kernel takes at most 1 M instructions (8 MB); debug information may multiply that, not more than this. */
export const MAX_OBJECT_BYTES = 64 * 1024 * 1024;
/** All .bss together: they have no bytes in the file, so that only this bounds what a forged size makes us allocate. */
export const MAX_ZERO_SECTION_BYTES = 64 * 1024 * 1024;

/** Real objects have a few thousand symbols; each becomes an object of some hundred bytes. */
export const MAX_SYMBOLS = 2 ** 18;

export interface ElfSection {
  readonly index: number;
  readonly name: string;
  /** sh_type: see SECTION_TYPE */
  readonly type: number;
  /** sh_flags: see SECTION_FLAG */
  readonly flags: number;
  readonly byteSize: number;
  readonly link: number;
  readonly info: number;
  /** A view of the file; empty for a section that has no bytes there (.bss). */
  readonly bytes: Uint8Array;
}

export interface ElfSymbol {
  readonly index: number;
  readonly name: string;
  /** See SYMBOL_TYPE. */
  readonly type: number;
  /** See SYMBOL_BINDING. */
  readonly binding: number;
  /** See SYMBOL_VISIBILITY. */
  readonly visibility: number;
  readonly sectionIndex: number;
  /** In an object file: the byte offset in its section. */
  readonly value: number;
  readonly byteSize: number;
}

export interface ElfFile {
  readonly label: string;
  readonly byteOrder: ByteOrder;
  readonly sections: readonly ElfSection[];
  readonly symbols: readonly ElfSymbol[];
  readonly relocations: ElfRelocations;
}

/**
 * Reads a relocatable BPF object (ELF64, EM_BPF) of either byte order. Bytes of sections are views of the input.
 * @throws VespidError ELF_UNSUPPORTED for a good ELF file of another sort, ELF_MALFORMED or BYTES_OUT_OF_RANGE
 * for anything else
 */
export function readElf(bytes: Uint8Array, label: string): ElfFile {
  if (bytes.byteLength > MAX_OBJECT_BYTES) {
    throw unsupported(label, `object of at most ${MAX_OBJECT_BYTES} bytes expected, got ${bytes.byteLength}`);
  }
  const byteOrder = readByteOrder(new ByteReader(bytes, label));
  const reader = new ByteReader(bytes, label, byteOrder);
  checkFileHeader(reader);
  const sections = readSections(reader);
  checkOverlap(reader, sections);
  checkZeroBytes(sections, label);
  const symbols = readSymbols(sections, label, byteOrder);
  const relocations = new ElfRelocations(sections, symbols.length, label, byteOrder);
  return { label, byteOrder, sections, symbols, relocations };
}

/** From e_ident, which has no byte order itself. */
function readByteOrder(reader: ByteReader): ByteOrder {
  const { label } = reader;
  if (reader.byteLength < 6 || reader.u32(0) !== ELF_MAGIC) {
    throw malformed(label, 'not an ELF file (it does not begin with 7f 45 4c 46)');
  }
  switch (reader.u8(5)) {
    case ELF_LITTLE_ENDIAN:
      return 'little-endian';
    case ELF_BIG_ENDIAN:
      return 'big-endian';
    default:
      throw unsupported(
        label,
        `byte order ${ELF_LITTLE_ENDIAN} or ${ELF_BIG_ENDIAN} expected, got ${reader.u8(5)}`,
      );
  }
}

function checkFileHeader(reader: ByteReader): void {
  const { label } = reader;
  expectField(label, 'ELF class', reader.u8(4), ELF_CLASS_64, 'ELFCLASS64');
  expectField(label, 'ELF version', reader.u8(6), ELF_VERSION, 'EV_CURRENT');
  expectField(label, 'file type', reader.u16(16), ELF_TYPE_RELOCATABLE, 'ET_REL');
  expectField(label, 'machine', reader.u16(18), ELF_MACHINE_BPF, 'EM_BPF');
  expectField(label, 'ELF version', reader.u32(20), ELF_VERSION, 'EV_CURRENT');
  if (reader.u16(52) !== FILE_HEADER_BYTES) throw malformed(label, `file header of ${reader.u16(52)} bytes`);
  if (reader.u16(58) !== SECTION_HEADER_BYTES) {
    throw malformed(label, `section headers of ${reader.u16(58)} bytes, expected ${SECTION_HEADER_BYTES}`);
  }
}

function expectField(label: string, field: string, actual: number, expected: number, name: string): void {
  if (actual === expected) return;
  throw unsupported(label, `${field} ${expected} (${name}) expected, got ${actual}`);
}

function readSections(reader: ByteReader): ElfSection[] {
  const { label } = reader;
  const tableOffset = reader.size64(40);
  const count = reader.u16(60);
  const namesIndex = reader.u16(62);
  if (count === 0 && tableOffset !== 0) {
    // The real count did not fit into 16 bits: it stands in the first section header (gABI, e_shnum).
    throw unsupported(label, `extended section numbering: ${SECTION_INDEX_RESERVED} sections or more`);
  }
  if (count === 0 || count >= SECTION_INDEX_RESERVED) throw malformed(label, `section count ${count}`);
  const table = reader.part(tableOffset, count * SECTION_HEADER_BYTES, `${label}: section headers`);
  if (namesIndex === 0 || namesIndex >= count)
    throw malformed(label, `section names in section ${namesIndex}`);
  const names = sectionBytes(reader, table, namesIndex);
  const nameReader = new ElfNames(new ByteReader(names, `${label}: section names`));
  return Array.from({ length: count }, (_, index): ElfSection => {
    const at = index * SECTION_HEADER_BYTES;
    return {
      index,
      name: index === 0 ? '' : nameReader.at(table.u32(at)),
      type: table.u32(at + 4),
      flags: table.size64(at + 8),
      byteSize: table.size64(at + 32),
      link: table.u32(at + 40),
      info: table.u32(at + 44),
      bytes: sectionBytes(reader, table, index),
    };
  });
}

function sectionBytes(reader: ByteReader, table: ByteReader, index: number): Uint8Array {
  const at = index * SECTION_HEADER_BYTES;
  const type = table.u32(at + 4);
  const byteSize = table.size64(at + 32);
  if (type === SECTION_TYPE.null || type === SECTION_TYPE.noBits) return new Uint8Array(0);
  return reader.slice(table.size64(at + 24), byteSize);
}

/** Two tables that share bytes mean that somebody wants two readers to see two things in one file. */
function checkOverlap(reader: ByteReader, sections: readonly ElfSection[]): void {
  const ranges = [
    { what: 'the file header', start: 0, end: FILE_HEADER_BYTES },
    {
      what: 'the section headers',
      start: reader.size64(40),
      end: reader.size64(40) + sections.length * SECTION_HEADER_BYTES,
    },
  ];
  for (const section of sections) {
    if (section.bytes.byteLength === 0) continue;
    const start = section.bytes.byteOffset - reader.bytes.byteOffset;
    ranges.push({ what: `section ${section.name}`, start, end: start + section.bytes.byteLength });
  }
  ranges.sort((a, b) => a.start - b.start);
  for (const [index, range] of ranges.entries()) {
    const before = ranges[index - 1];
    if (before !== undefined && before.end > range.start) {
      throw malformed(reader.label, `${before.what} and ${range.what} overlap at byte ${range.start}`);
    }
  }
}

/** A thousand sections may each say that they are large. */
function checkZeroBytes(sections: readonly ElfSection[], label: string): void {
  const zeros = sections.filter((section) => section.type === SECTION_TYPE.noBits);
  const byteSize = zeros.reduce((sum, section) => sum + section.byteSize, 0);
  if (byteSize <= MAX_ZERO_SECTION_BYTES) return;
  throw malformed(
    label,
    `${byteSize} bytes of zeros in ${zeros.length} sections, limit ${MAX_ZERO_SECTION_BYTES}`,
  );
}

function readSymbols(sections: readonly ElfSection[], label: string, byteOrder: ByteOrder): ElfSymbol[] {
  const tables = sections.filter((section) => section.type === SECTION_TYPE.symbolTable);
  const table = tables[0];
  if (table === undefined) return [];
  if (tables.length > 1) throw malformed(label, `one symbol table expected, got ${tables.length}`);
  if (table.byteSize % SYMBOL_BYTES !== 0) throw malformed(label, `symbol table of ${table.byteSize} bytes`);
  if (table.byteSize > MAX_SYMBOLS * SYMBOL_BYTES) {
    throw unsupported(label, `${table.byteSize / SYMBOL_BYTES} symbols, limit ${MAX_SYMBOLS}`);
  }
  const strings = sections[table.link];
  if (strings?.type !== SECTION_TYPE.stringTable) throw malformed(label, `symbol names in ${table.link}`);
  const entries = new ByteReader(table.bytes, `${label}: symbols`, byteOrder);
  const names = new ElfNames(new ByteReader(strings.bytes, `${label}: symbol names`));
  const symbols: ElfSymbol[] = [];
  for (let at = 0; at < table.byteSize; at += SYMBOL_BYTES) {
    const info = entries.u8(at + 4);
    const sectionIndex = entries.u16(at + 6);
    const index = symbols.length;
    if (sectionIndex === SECTION_INDEX_EXTENDED) throw unsupported(label, 'extended section numbering');
    if (sectionIndex >= sections.length && sectionIndex < SECTION_INDEX_RESERVED) {
      throw malformed(label, `symbol ${index} in section ${sectionIndex} of ${sections.length}`);
    }
    symbols.push({
      index,
      name: names.at(entries.u32(at)),
      type: info & 0xf,
      binding: info >> 4,
      visibility: entries.u8(at + 5) & 0x3,
      sectionIndex,
      value: entries.size64(at + 8),
      byteSize: entries.size64(at + 16),
    });
  }
  return symbols;
}

function malformed(label: string, message: string): VespidError {
  return new VespidError('ELF_MALFORMED', `${label}: ${message}`, {
    hint: 'the file is damaged or is not an object that a BPF compiler wrote',
  });
}

function unsupported(label: string, message: string): VespidError {
  return new VespidError('ELF_UNSUPPORTED', `${label}: ${message}`, {
    hint: 'build the object with clang --target=bpf',
  });
}

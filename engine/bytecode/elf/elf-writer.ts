import { VespidError } from '../../errors/index.js';
import { ByteWriter } from '../byte-writer.js';
import {
  ELF_CLASS_64,
  ELF_LITTLE_ENDIAN,
  ELF_MACHINE_BPF,
  ELF_MAGIC,
  ELF_TYPE_RELOCATABLE,
  ELF_VERSION,
  FILE_HEADER_BYTES,
  RELOCATION_BYTES,
  SECTION_FLAG,
  SECTION_HEADER_BYTES,
  SECTION_TYPE,
  SYMBOL_BINDING,
  SYMBOL_BYTES,
} from './elf-format.js';

/** A section to write; its relocations name symbols by {@link NewSymbol.key}. */
export interface NewSection {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly byteAlignment: number;
  readonly bytes: Uint8Array;
  readonly relocations?: readonly NewRelocation[];
}

export interface NewSymbol {
  /** What relocations call it: the name of a section symbol is empty, so that names alone are not enough. */
  readonly key: string;
  readonly name: string;
  readonly type: number;
  readonly binding: number;
  /** Name of the section that it is in. */
  readonly section: string;
  readonly value: number;
  readonly byteSize: number;
}

export interface NewRelocation {
  readonly byteOffset: number;
  readonly type: number;
  /** {@link NewSymbol.key} */
  readonly symbol: string;
}

interface PlacedSection {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly byteAlignment: number;
  readonly bytes: Uint8Array;
  readonly link: number;
  readonly info: number;
  readonly entryBytes: number;
}

/**
 * An ELF64 relocatable BPF object with the sections in the order given, each followed by its `.rel` section,
 * then `.symtab` and `.strtab` (which also holds the section names, as LLVM writes it). The same input gives
 * the same bytes.
 */
export function writeElf(sections: readonly NewSection[], symbols: readonly NewSymbol[]): Uint8Array {
  const strings = new StringTable();
  const ordered = [
    ...symbols.filter((symbol) => symbol.binding === SYMBOL_BINDING.local),
    ...symbols.filter((symbol) => symbol.binding !== SYMBOL_BINDING.local),
  ];
  // Symbol 0 is the reserved null symbol.
  const symbolIndex = new Map(ordered.map((symbol, index) => [symbol.key, index + 1]));
  const indexes = sectionIndexes(sections);
  const symbolTableIndex = indexes.total - 2;
  const placed: PlacedSection[] = [];
  for (const section of sections) {
    placed.push({ ...section, link: 0, info: 0, entryBytes: 0 });
    if (section.relocations === undefined || section.relocations.length === 0) continue;
    placed.push({
      name: `.rel${section.name}`,
      type: SECTION_TYPE.relocation,
      flags: SECTION_FLAG.infoLink,
      byteAlignment: 8,
      bytes: relocationTable(section.relocations, symbolIndex),
      link: symbolTableIndex,
      info: known(indexes.byName, section.name),
      entryBytes: RELOCATION_BYTES,
    });
  }
  placed.push({
    name: '.symtab',
    type: SECTION_TYPE.symbolTable,
    flags: 0,
    byteAlignment: 8,
    bytes: symbolTable(ordered, indexes.byName, strings),
    link: symbolTableIndex + 1,
    info: 1 + ordered.filter((symbol) => symbol.binding === SYMBOL_BINDING.local).length,
    entryBytes: SYMBOL_BYTES,
  });
  return layOut(placed, strings);
}

function sectionIndexes(sections: readonly NewSection[]): { byName: Map<string, number>; total: number } {
  const byName = new Map<string, number>();
  let next = 1;
  for (const section of sections) {
    byName.set(section.name, next++);
    if (section.relocations !== undefined && section.relocations.length > 0) next++;
  }
  return { byName, total: next + 2 };
}

function relocationTable(
  relocations: readonly NewRelocation[],
  symbolIndex: ReadonlyMap<string, number>,
): Uint8Array {
  const writer = new ByteWriter();
  for (const relocation of relocations) {
    writer.u64(relocation.byteOffset).u32(relocation.type).u32(known(symbolIndex, relocation.symbol));
  }
  return writer.finish();
}

function symbolTable(
  symbols: readonly NewSymbol[],
  sectionIndex: ReadonlyMap<string, number>,
  strings: StringTable,
): Uint8Array {
  const writer = new ByteWriter();
  writer.bytes(new Uint8Array(SYMBOL_BYTES));
  for (const symbol of symbols) {
    writer
      .u32(strings.offsetOf(symbol.name))
      .u8((symbol.binding << 4) | symbol.type)
      .u8(0)
      .u16(known(sectionIndex, symbol.section))
      .u64(symbol.value)
      .u64(symbol.byteSize);
  }
  return writer.finish();
}

/** File header, the sections' bytes, the section headers. */
function layOut(sections: readonly PlacedSection[], strings: StringTable): Uint8Array {
  const headers = new ByteWriter().bytes(new Uint8Array(SECTION_HEADER_BYTES));
  const body = new ByteWriter().bytes(new Uint8Array(FILE_HEADER_BYTES));
  const place = (section: PlacedSection, nameOffset: number): void => {
    body.align(section.byteAlignment);
    headers
      .u32(nameOffset)
      .u32(section.type)
      .u64(section.flags)
      .u64(0)
      .u64(body.byteLength)
      .u64(section.bytes.byteLength)
      .u32(section.link)
      .u32(section.info)
      .u64(section.byteAlignment)
      .u64(section.entryBytes);
    body.bytes(section.bytes);
  };
  for (const section of sections) place(section, strings.offsetOf(section.name));
  const stringsName = strings.offsetOf('.strtab');
  const stringSection = {
    name: '.strtab',
    type: SECTION_TYPE.stringTable,
    flags: 0,
    byteAlignment: 1,
    bytes: strings.finish(),
    link: 0,
    info: 0,
    entryBytes: 0,
  };
  place(stringSection, stringsName);
  body.align(8);
  const headerOffset = body.byteLength;
  const file = body.bytes(headers.finish()).finish();
  file.set(fileHeader(headerOffset, sections.length + 2), 0);
  return file;
}

function fileHeader(sectionHeaderOffset: number, sectionCount: number): Uint8Array {
  return new ByteWriter()
    .u32(ELF_MAGIC)
    .u8(ELF_CLASS_64)
    .u8(ELF_LITTLE_ENDIAN)
    .u8(ELF_VERSION)
    .align(16)
    .u16(ELF_TYPE_RELOCATABLE)
    .u16(ELF_MACHINE_BPF)
    .u32(ELF_VERSION)
    .u64(0)
    .u64(0)
    .u64(sectionHeaderOffset)
    .u32(0)
    .u16(FILE_HEADER_BYTES)
    .u16(0)
    .u16(0)
    .u16(SECTION_HEADER_BYTES)
    .u16(sectionCount)
    .u16(sectionCount - 1)
    .finish();
}

/** ELF string table: offset 0 is the empty string, equal strings are kept once. */
class StringTable {
  readonly #writer = new ByteWriter().u8(0);
  readonly #offsets = new Map<string, number>([['', 0]]);

  offsetOf(text: string): number {
    const existing = this.#offsets.get(text);
    if (existing !== undefined) return existing;
    const offset = this.#writer.byteLength;
    this.#writer.cString(text);
    this.#offsets.set(text, offset);
    return offset;
  }

  finish(): Uint8Array {
    return this.#writer.finish();
  }
}

/** The callers of writeElf make the names themselves: a missing one is a fault of ours. */
function known(table: ReadonlyMap<string, number>, name: string): number {
  const index = table.get(name);
  if (index === undefined) throw new VespidError('INTERNAL', `ELF writer: ${name} is not defined`);
  return index;
}

import { VespidError } from '../../errors/index.js';
import type { BtfExt, CoreRecord, FunctionRecord, LineRecord, SectionRecords } from '../btf/btf-ext.js';
import type { Btf } from '../btf/btf-reader.js';
import type { CoreRelocation } from '../core/core-relocation.js';
import { CORE_KINDS } from '../core/relocation-kind.js';
import {
  SECTION_FLAG,
  SECTION_TYPE,
  SYMBOL_BINDING,
  SYMBOL_TYPE,
  SYMBOL_VISIBILITY,
} from '../elf/elf-format.js';
import type { ElfFile, ElfSection, ElfSymbol } from '../elf/elf-reader.js';
import { SLOT_BYTES } from '../isa.js';
import { toLittleEndian } from './instruction-order.js';
import { within } from './sorted-places.js';
import { ObjectLine } from './source-line.js';

/** The kernel's BPF_COMPLEXITY_LIMIT_INSNS: no program has more instructions. */
export const MAX_PROGRAM_SLOTS = 1_000_000;

/** A function before its relocations are understood. */
export interface BareFunction {
  readonly name: string;
  readonly section: string;
  readonly sectionIndex: number;
  /** In its section. */
  readonly byteOffset: number;
  readonly linkage: 'global' | 'static';
  /** Hidden from other objects: the kernel then verifies it only together with its callers. */
  readonly isHidden: boolean;
  /** As they stand in the file, in little-endian encoding: a view, not to be written to. */
  readonly instructions: Uint8Array;
  /** Its BTF type of kind function, 0 if the object does not say. */
  readonly typeId: number;
  readonly lines: readonly ObjectLine[];
  readonly coreRelocations: readonly PlacedCoreRelocation[];
}

export interface PlacedCoreRelocation extends CoreRelocation {
  readonly slotIndex: number;
}

/**
 * The functions of all code sections, in order of section and place.
 * @throws VespidError OBJECT_MALFORMED
 */
export function readFunctions(elf: ElfFile, ext: BtfExt, btf: Btf | undefined): BareFunction[] {
  const symbolsBySection = new Map<number, ElfSymbol[]>();
  for (const symbol of elf.symbols) {
    if (symbol.type !== SYMBOL_TYPE.function) continue;
    const symbols = symbolsBySection.get(symbol.sectionIndex) ?? [];
    symbols.push(symbol);
    symbolsBySection.set(symbol.sectionIndex, symbols);
  }
  const facts = factsBySection(ext, elf.label);
  return elf.sections.filter(isCode).flatMap((section) => {
    const symbols = symbolsBySection.get(section.index) ?? [];
    symbols.sort((a, b) => a.value - b.value);
    checkPlaces(elf, section, symbols);
    const known = facts.get(section.name) ?? { functions: [], lines: [], coreRelocations: [] };
    const typeIds = new Map(known.functions.map((record) => [record.byteOffset, record.typeId]));
    const code = toLittleEndian(section.bytes, elf.byteOrder);
    let before: BareFunction | undefined;
    return symbols.map((symbol) => {
      const typeId = typeIds.get(symbol.value) ?? 0;
      if (typeId !== 0 && btf?.kindOf(typeId) !== 'function') {
        throw malformed(`${elf.label}: .BTF.ext: type ${typeId} of ${symbol.name} is not a function`);
      }
      before =
        before?.byteOffset === symbol.value
          ? { ...before, name: symbol.name, ...linkageOf(symbol) }
          : readFunction(elf, section, code, symbol, typeId, known, btf);
      return before;
    });
  });
}

function isCode(section: ElfSection): boolean {
  return section.type === SECTION_TYPE.programBits && (section.flags & SECTION_FLAG.executable) !== 0;
}

function checkPlaces(elf: ElfFile, section: ElfSection, symbols: readonly ElfSymbol[]): void {
  let start = -1;
  let end = 0;
  for (const symbol of symbols) {
    const { name, value, byteSize } = symbol;
    // Another name for the function before (an alias).
    if (value === start && value + byteSize === end) continue;
    const where = `${elf.label}: ${section.name}: function ${name}`;
    if (value % SLOT_BYTES !== 0 || byteSize % SLOT_BYTES !== 0 || byteSize === 0) {
      throw malformed(`${where} at ${value} of ${byteSize} bytes: whole instructions expected`);
    }
    if (value < end) throw malformed(`${where} overlaps the function before it`);
    start = value;
    end = value + byteSize;
    if (end > section.byteSize) throw malformed(`${where} ends at ${end}, after its section`);
    if (byteSize > MAX_PROGRAM_SLOTS * SLOT_BYTES)
      throw malformed(`${where}: over ${MAX_PROGRAM_SLOTS} slots`);
  }
}

/** What .BTF.ext says of one section, in the order of places. */
interface SectionFacts {
  readonly functions: FunctionRecord[];
  readonly lines: LineRecord[];
  readonly coreRelocations: CoreRecord[];
}

function factsBySection(ext: BtfExt, label: string): ReadonlyMap<string, SectionFacts> {
  const facts = new Map<string, SectionFacts>();
  const collect = <K extends keyof SectionFacts>(
    lists: readonly SectionRecords<SectionFacts[K][number]>[],
    listOf: (known: SectionFacts) => SectionFacts[K][number][],
  ): void => {
    for (const { section, records } of lists) {
      const known = facts.get(section) ?? { functions: [], lines: [], coreRelocations: [] };
      facts.set(section, known);
      for (const record of records) {
        if (record.byteOffset % SLOT_BYTES !== 0) {
          throw malformed(`${label}: .BTF.ext: ${section}+${record.byteOffset} is inside of an instruction`);
        }
        listOf(known).push(record);
      }
    }
  };
  collect<'functions'>(ext.functions, (known) => known.functions);
  collect<'lines'>(ext.lines, (known) => known.lines);
  collect<'coreRelocations'>(ext.coreRelocations, (known) => known.coreRelocations);
  for (const known of facts.values()) {
    known.lines.sort((a, b) => a.byteOffset - b.byteOffset);
    known.coreRelocations.sort((a, b) => a.byteOffset - b.byteOffset);
  }
  return facts;
}

function linkageOf(symbol: ElfSymbol): Pick<BareFunction, 'linkage' | 'isHidden'> {
  return {
    linkage: symbol.binding === SYMBOL_BINDING.local ? 'static' : 'global',
    isHidden:
      symbol.visibility === SYMBOL_VISIBILITY.hidden || symbol.visibility === SYMBOL_VISIBILITY.internal,
  };
}

function readFunction(
  elf: ElfFile,
  section: ElfSection,
  code: Uint8Array,
  symbol: ElfSymbol,
  typeId: number,
  facts: SectionFacts,
  btf: Btf | undefined,
): BareFunction {
  const start = symbol.value;
  const end = start + symbol.byteSize;
  const slotOf = (record: { readonly byteOffset: number }) => (record.byteOffset - start) / SLOT_BYTES;
  return {
    name: symbol.name,
    section: section.name,
    sectionIndex: section.index,
    byteOffset: start,
    ...linkageOf(symbol),
    instructions: code.subarray(start, end),
    typeId,
    lines:
      btf === undefined
        ? []
        : within(facts.lines, start, end).map((record) => new ObjectLine(slotOf(record), record, btf)),
    coreRelocations: within(facts.coreRelocations, start, end).map((record) => {
      const kind = CORE_KINDS[record.kind];
      if (kind === undefined) {
        throw new VespidError(
          'CORE_UNSUPPORTED',
          `${elf.label}: ${symbol.name}: CO-RE relocation of unknown kind ${record.kind}`,
        );
      }
      return { slotIndex: slotOf(record), kind, typeId: record.typeId, access: record.access };
    }),
  };
}

function malformed(message: string): VespidError {
  return new VespidError('OBJECT_MALFORMED', message, { hint: 'build the object again with clang -g -O2' });
}

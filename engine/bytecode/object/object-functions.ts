import { VespidError } from '../../errors/index.js';
import type { BtfExt, SectionRecords } from '../btf/btf-ext.js';
import type { Btf } from '../btf/btf-reader.js';
import type { CoreRelocation } from '../core/core-relocation.js';
import { CORE_KINDS } from '../core/relocation-kind.js';
import { SECTION_FLAG, SECTION_TYPE, SYMBOL_BINDING, SYMBOL_TYPE } from '../elf/elf-format.js';
import type { ElfFile, ElfSection, ElfSymbol } from '../elf/elf-reader.js';
import { SLOT_BYTES } from '../isa.js';
import type { ObjectReference } from './object-references.js';

/** The kernel's BPF_COMPLEXITY_LIMIT_INSNS: no program has more instructions. */
export const MAX_PROGRAM_SLOTS = 1_000_000;

/** One function of an object. All slot indexes count from its own start. */
export interface ObjectFunction extends BareFunction {
  /** What its instructions refer to, in order. */
  readonly references: readonly ObjectReference[];
}

/** A function before its relocations are understood. */
export interface BareFunction {
  readonly name: string;
  readonly section: string;
  readonly sectionIndex: number;
  /** In its section. */
  readonly byteOffset: number;
  readonly linkage: 'global' | 'static';
  /** As they stand in the file: a view, not to be written to. */
  readonly instructions: Uint8Array;
  /** Its BTF type of kind function, 0 if the object does not say. */
  readonly typeId: number;
  readonly lines: readonly SourceLine[];
  readonly coreRelocations: readonly PlacedCoreRelocation[];
}

export interface SourceLine {
  readonly slotIndex: number;
  readonly fileName: string;
  readonly source: string;
  readonly line: number;
  readonly column: number;
}

export interface PlacedCoreRelocation extends CoreRelocation {
  readonly slotIndex: number;
}

/**
 * The functions of all code sections, in order of section and place.
 * @throws VespidError OBJECT_MALFORMED
 */
export function readFunctions(elf: ElfFile, ext: BtfExt, btf: Btf | undefined): BareFunction[] {
  return elf.sections.filter(isCode).flatMap((section) => {
    const symbols = elf.symbols
      .filter((symbol) => symbol.type === SYMBOL_TYPE.function && symbol.sectionIndex === section.index)
      .sort((a, b) => a.value - b.value);
    checkPlaces(elf, section, symbols);
    const records = recordsOf(ext, section.name, elf.label);
    return symbols.map((symbol) => readFunction(elf, section, symbol, records, btf));
  });
}

function isCode(section: ElfSection): boolean {
  return section.type === SECTION_TYPE.programBits && (section.flags & SECTION_FLAG.executable) !== 0;
}

function checkPlaces(elf: ElfFile, section: ElfSection, symbols: readonly ElfSymbol[]): void {
  let end = 0;
  for (const symbol of symbols) {
    const { name, value, byteSize } = symbol;
    const where = `${elf.label}: ${section.name}: function ${name}`;
    if (value % SLOT_BYTES !== 0 || byteSize % SLOT_BYTES !== 0 || byteSize === 0) {
      throw malformed(`${where} at ${value} of ${byteSize} bytes: whole instructions expected`);
    }
    if (value < end) throw malformed(`${where} overlaps the function before it`);
    end = value + byteSize;
    if (end > section.byteSize) throw malformed(`${where} ends at ${end}, after its section`);
    if (byteSize > MAX_PROGRAM_SLOTS * SLOT_BYTES)
      throw malformed(`${where}: over ${MAX_PROGRAM_SLOTS} slots`);
  }
}

interface SectionFacts {
  readonly functions: BtfExt['functions'][number]['records'];
  readonly lines: BtfExt['lines'][number]['records'];
  readonly coreRelocations: BtfExt['coreRelocations'][number]['records'];
}

function recordsOf(ext: BtfExt, section: string, label: string): SectionFacts {
  const pick = <T extends { readonly byteOffset: number }>(lists: readonly SectionRecords<T>[]): T[] => {
    const records = lists.filter((list) => list.section === section).flatMap((list) => list.records);
    const odd = records.find((record) => record.byteOffset % SLOT_BYTES !== 0);
    if (odd === undefined) return records.sort((a, b) => a.byteOffset - b.byteOffset);
    throw malformed(`${label}: .BTF.ext: ${section}+${odd.byteOffset} is not the start of an instruction`);
  };
  return {
    functions: pick(ext.functions),
    lines: pick(ext.lines),
    coreRelocations: pick(ext.coreRelocations),
  };
}

function readFunction(
  elf: ElfFile,
  section: ElfSection,
  symbol: ElfSymbol,
  facts: SectionFacts,
  btf: Btf | undefined,
): BareFunction {
  const start = symbol.value;
  const end = start + symbol.byteSize;
  const slotOf = (record: { readonly byteOffset: number }) => (record.byteOffset - start) / SLOT_BYTES;
  const typeId = facts.functions.find((record) => record.byteOffset === start)?.typeId ?? 0;
  if (typeId !== 0 && btf?.kindOf(typeId) !== 'function') {
    throw malformed(`${elf.label}: .BTF.ext: type ${typeId} of ${symbol.name} is not a function`);
  }
  return {
    name: symbol.name,
    section: section.name,
    sectionIndex: section.index,
    byteOffset: start,
    linkage: symbol.binding === SYMBOL_BINDING.local ? 'static' : 'global',
    instructions: section.bytes.subarray(start, end),
    typeId,
    lines: within(facts.lines, start, end).map((record) => ({
      slotIndex: slotOf(record),
      fileName: record.fileName,
      source: record.source,
      line: record.line,
      column: record.column,
    })),
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

/** The records of `[start, end)`, by bisection: `records` is sorted, and there may be many functions. */
function within<T extends { readonly byteOffset: number }>(
  records: readonly T[],
  start: number,
  end: number,
) {
  const firstFrom = (byteOffset: number): number => {
    let low = 0;
    let high = records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((records[middle]?.byteOffset ?? 0) < byteOffset) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return records.slice(firstFrom(start), firstFrom(end));
}

function malformed(message: string): VespidError {
  return new VespidError('OBJECT_MALFORMED', message, { hint: 'build the object again with clang -g -O2' });
}

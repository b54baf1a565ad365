import { VespidError } from '../../errors/index.js';
import { TYPE_HEADER_BYTES, VARIABLE_LINKAGE } from '../btf/btf-format.js';
import { Btf } from '../btf/btf-reader.js';
import type { BtfDataSection, BtfSectionVariable } from '../btf/btf-type.js';
import { ByteWriter } from '../byte-writer.js';
import type { ElfFile, ElfSection, ElfSymbol } from '../elf/elf-reader.js';

/** Sections that exist only in BTF: their variables are the kernel's. */
const VIRTUAL_SECTIONS = new Set(['.kconfig', '.ksyms']);

/**
 * Fills in what a compiler leaves to the linker: a data section's size, and the offsets of its global
 * variables, which the kernel wants ascending. The result is what BPF_BTF_LOAD accepts.
 * @throws VespidError OBJECT_MALFORMED if BTF and ELF do not describe the same variables
 */
export function completeDataSections(btf: Btf, elf: ElfFile): Btf {
  const patched = btf.bytes.slice();
  const sections = new Map(elf.sections.map((section) => [section.name, section]));
  const symbols = new Map(elf.symbols.map((symbol) => [`${symbol.sectionIndex} ${symbol.name}`, symbol]));
  for (let typeId = 1; typeId < btf.typeCount; typeId++) {
    if (btf.kindOf(typeId) !== 'data-section') continue;
    const type = btf.type(typeId);
    if (type.kind !== 'data-section' || VIRTUAL_SECTIONS.has(type.name)) continue;
    const completed = completeSection(btf, type, { elf, sections, symbols });
    // The size is the last word of the type's header, the variables follow it.
    const out = new ByteWriter().u32(completed.byteSize);
    for (const { typeId: variableId, byteOffset, byteSize } of completed.variables) {
      out.u32(variableId).u32(byteOffset).u32(byteSize);
    }
    patched.set(out.finish(), btf.byteOffsetOf(typeId) + TYPE_HEADER_BYTES - 4);
  }
  return new Btf(patched, btf.label);
}

interface Places {
  readonly elf: ElfFile;
  readonly sections: ReadonlyMap<string, ElfSection>;
  /** By section index and name. */
  readonly symbols: ReadonlyMap<string, ElfSymbol>;
}

function completeSection(btf: Btf, type: BtfDataSection, places: Places): BtfDataSection {
  const { elf } = places;
  const section = places.sections.get(type.name);
  if (section === undefined) {
    throw new VespidError('OBJECT_MALFORMED', `${elf.label}: variables of ${type.name}, but no such section`);
  }
  // A size that is there was written by a linker or by us, together with the offsets.
  const isComplete = type.byteSize !== 0;
  const variables = type.variables.map((variable) =>
    isComplete ? variable : { ...variable, byteOffset: placeOf(btf, variable, section, places) },
  );
  variables.sort((a, b) => a.byteOffset - b.byteOffset);
  return { ...type, byteSize: isComplete ? type.byteSize : section.byteSize, variables };
}

/** A static variable has its offset in the BTF already, a global one in its symbol. */
function placeOf(btf: Btf, place: BtfSectionVariable, section: ElfSection, { elf, symbols }: Places): number {
  const variable = btf.type(place.typeId);
  if (variable.kind !== 'variable') {
    throw new VespidError('OBJECT_MALFORMED', `${elf.label}: type ${place.typeId} in ${section.name}`);
  }
  if (variable.linkage === VARIABLE_LINKAGE.static) return place.byteOffset;
  const symbol = symbols.get(`${section.index} ${variable.name}`);
  if (symbol !== undefined) return symbol.value;
  throw new VespidError(
    'OBJECT_MALFORMED',
    `${elf.label}: no symbol for ${variable.name} in ${section.name}`,
  );
}

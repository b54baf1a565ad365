import { VespidError } from '../../errors/index.js';
import { BTF_KIND, FUNCTION_LINKAGE, INT_ENCODING, VARIABLE_LINKAGE } from '../btf/btf-format.js';
import type { Btf } from '../btf/btf-reader.js';
import type { BtfDataSection, BtfSectionVariable } from '../btf/btf-type.js';
import { SYMBOL_TYPE, SYMBOL_VISIBILITY } from '../elf/elf-format.js';
import type { ElfFile, ElfSection, ElfSymbol } from '../elf/elf-reader.js';
import { BtfPatch } from './btf-patch.js';
import { type Externs, KCONFIG_SECTION, KSYMS_SECTION } from './read-externs.js';

/** Width of the stand-ins for kernel variables and functions. */
const STAND_IN_BYTES = 4;

/**
 * Fills in what a compiler leaves to the linker or the loader, so that BPF_BTF_LOAD accepts the types: the size
 * of each data section and the offsets of its global variables, ascending; stand-ins for what the kernel has;
 * static linkage for hidden symbols, which the kernel then need not verify by themselves. Type ids stay.
 * @throws VespidError OBJECT_MALFORMED if BTF and ELF do not describe the same variables
 */
export function completeBtf(btf: Btf, elf: ElfFile, externs: Externs): Btf {
  const patch = new BtfPatch(btf);
  const places = placesOf(elf);
  for (const typeId of btf.idsOfKind('data-section')) {
    const section = btf.type(typeId);
    if (section.kind !== 'data-section') continue;
    const completed = completedSection(btf, patch, section, places, externs);
    patch.setSizeOrType(typeId, completed.byteSize);
    for (const [index, variable] of completed.variables.entries()) {
      patch.setSectionVariable(typeId, index, variable);
    }
  }
  hideFunctions(btf, patch, elf);
  return patch.finish();
}

function completedSection(
  btf: Btf,
  patch: BtfPatch,
  section: BtfDataSection,
  places: Places,
  externs: Externs,
): BtfDataSection {
  switch (section.name) {
    case KSYMS_SECTION:
      return completedKsyms(btf, patch, section);
    case KCONFIG_SECTION:
      return completedKconfig(btf, patch, section, externs);
    default:
      return completedDataSection(btf, patch, section, places);
  }
}

interface Places {
  readonly label: string;
  readonly sections: ReadonlyMap<string, ElfSection>;
  /** By section index and name. */
  readonly symbols: ReadonlyMap<string, ElfSymbol>;
}

function placesOf(elf: ElfFile): Places {
  const variables = elf.symbols.filter((symbol) => symbol.type === SYMBOL_TYPE.object);
  return {
    label: elf.label,
    sections: new Map(elf.sections.map((section) => [section.name, section])),
    symbols: new Map(variables.map((symbol) => [`${symbol.sectionIndex} ${symbol.name}`, symbol])),
  };
}

function completedDataSection(
  btf: Btf,
  patch: BtfPatch,
  type: BtfDataSection,
  places: Places,
): BtfDataSection {
  const section = places.sections.get(type.name);
  if (section === undefined) {
    throw malformed(places.label, `variables of ${type.name}, but no such section`);
  }
  // A size that is there was written by a linker or by us, together with the offsets.
  const isComplete = type.byteSize !== 0;
  const variables = type.variables.map((place): BtfSectionVariable => {
    const variable = btf.type(place.typeId);
    if (variable.kind !== 'variable') {
      throw malformed(places.label, `type ${place.typeId} in ${section.name} is not a variable`);
    }
    // A static variable has its offset in the BTF already, a global one in its symbol.
    if (variable.linkage !== VARIABLE_LINKAGE.global) return place;
    const symbol = places.symbols.get(`${section.index} ${variable.name}`);
    if (symbol === undefined) {
      throw malformed(places.label, `no symbol for ${variable.name} in ${section.name}`);
    }
    if (isHidden(symbol)) patch.setVariableLinkage(place.typeId, VARIABLE_LINKAGE.static);
    return isComplete ? place : { ...place, byteOffset: symbol.value };
  });
  const byteSize = isComplete ? type.byteSize : section.byteSize;
  return { ...type, byteSize, variables: inOrder(variables) };
}

/**
 * The kernel takes no external variables and, in a data section, no functions: each becomes an int of its own,
 * functions all by one made for this, and the functions themselves global ones whose parameters have names.
 */
function completedKsyms(btf: Btf, patch: BtfPatch, type: BtfDataSection): BtfDataSection {
  const hasFunctions = type.variables.some(({ typeId }) => btf.kindOf(typeId) === 'function');
  const intId = standInInt(btf, patch);
  const name = hasFunctions ? patch.addString('dummy_ksym') : 0;
  const standInId = hasFunctions
    ? patch.addType([name, BTF_KIND.variable * 2 ** 24, intId, VARIABLE_LINKAGE.global])
    : 0;
  const variables = type.variables.map(({ typeId }, index): BtfSectionVariable => {
    const place = { byteOffset: index * STAND_IN_BYTES, byteSize: STAND_IN_BYTES };
    const variable = btf.type(typeId);
    if (variable.kind === 'function') {
      patch.setFunctionLinkage(typeId, FUNCTION_LINKAGE.global);
      nameParameters(btf, patch, variable.typeId, name);
      return { typeId: standInId, ...place };
    }
    if (variable.kind === 'variable') {
      patch.setVariableLinkage(typeId, VARIABLE_LINKAGE.global);
      patch.setSizeOrType(typeId, intId);
    }
    return { typeId, ...place };
  });
  return { ...type, byteSize: variables.length * STAND_IN_BYTES, variables };
}

function nameParameters(btf: Btf, patch: BtfPatch, prototypeId: number, nameOffset: number): void {
  const prototype = btf.type(prototypeId);
  if (prototype.kind !== 'function-prototype') return;
  for (const [index, { name, typeId }] of prototype.parameters.entries()) {
    if (typeId !== 0 && name === '') patch.setParameterName(prototypeId, index, nameOffset);
  }
}

/** A 32-bit integer of the object, or one that is added. */
function standInInt(btf: Btf, patch: BtfPatch): number {
  for (const typeId of btf.idsOfKind('int')) {
    const type = btf.type(typeId);
    if (type.kind === 'int' && type.bitSize === 32 && type.byteSize === 4) return typeId;
  }
  const encoding = INT_ENCODING.signed * 2 ** 24 + 32;
  return patch.addType([patch.addString('int'), BTF_KIND.int * 2 ** 24, 4, encoding]);
}

/** The offsets are ours: nothing of this section is in the file. */
function completedKconfig(
  btf: Btf,
  patch: BtfPatch,
  type: BtfDataSection,
  { externs, kconfigByteSize }: Externs,
): BtfDataSection {
  const offsets = new Map(
    externs.flatMap((extern) =>
      extern.kind === 'kconfig' ? [[extern.name, extern.byteOffset] as const] : [],
    ),
  );
  const variables = type.variables.map((place): BtfSectionVariable => {
    if (btf.kindOf(place.typeId) !== 'variable') throw malformed(btf.label, `a function in ${type.name}`);
    patch.setVariableLinkage(place.typeId, VARIABLE_LINKAGE.global);
    return { ...place, byteOffset: offsets.get(btf.nameOf(place.typeId)) ?? place.byteOffset };
  });
  return { ...type, byteSize: kconfigByteSize, variables: inOrder(variables) };
}

function hideFunctions(btf: Btf, patch: BtfPatch, elf: ElfFile): void {
  const hidden = elf.symbols.filter(
    (symbol) =>
      symbol.type === SYMBOL_TYPE.function &&
      isHidden(symbol) &&
      elf.sections[symbol.sectionIndex]?.name === '.text',
  );
  for (const name of new Set(hidden.map((symbol) => symbol.name))) {
    const [typeId] = btf.idsByName(name, 'function');
    if (typeId !== undefined) patch.setFunctionLinkage(typeId, FUNCTION_LINKAGE.static);
  }
}

/** Local symbols are static anyway. */
function isHidden({ visibility }: ElfSymbol): boolean {
  return visibility === SYMBOL_VISIBILITY.hidden || visibility === SYMBOL_VISIBILITY.internal;
}

function inOrder(variables: readonly BtfSectionVariable[]): BtfSectionVariable[] {
  return [...variables].sort((a, b) => a.byteOffset - b.byteOffset);
}

function malformed(label: string, message: string): VespidError {
  return new VespidError('OBJECT_MALFORMED', `${label}: ${message}`);
}

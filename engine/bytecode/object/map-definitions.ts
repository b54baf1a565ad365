import { VespidError } from '../../errors/index.js';
import { VARIABLE_LINKAGE } from '../btf/btf-format.js';
import { underlyingType } from '../btf/btf-layout.js';
import type { Btf } from '../btf/btf-reader.js';
import type { BtfSectionVariable } from '../btf/btf-type.js';
import { SYMBOL_TYPE } from '../elf/elf-format.js';
import type { ElfFile, ElfSection } from '../elf/elf-reader.js';
import { isMapWithContents, readMapAttributes } from './map-attributes.js';
import type { ObjectMap } from './object-map.js';

export const MAPS_SECTION = '.maps';

/** A map with its place in `.maps`, which is how instructions and other maps name it. */
export interface PlacedMap {
  readonly map: ObjectMap;
  readonly byteOffset: number;
  readonly byteSize: number;
  /** Place, from the map's start, of the pointers to its first elements (`values`); undefined if it has none. */
  readonly contentsOffset: number | undefined;
}

export interface PlacedMaps {
  readonly maps: readonly ObjectMap[];
  /** -1 for an object without maps. */
  readonly sectionIndex: number;
  readonly byOffset: ReadonlyMap<number, PlacedMap>;
}

/**
 * Reads the BTF-defined maps of an object: each is a variable in `.maps` of a struct whose members say the
 * attributes (libbpf's convention, Documentation/bpf/libbpf). Initial contents stay empty.
 * @throws VespidError OBJECT_MALFORMED, OBJECT_UNSUPPORTED
 */
export function readMaps(elf: ElfFile, btf: Btf | undefined): PlacedMaps {
  const section = elf.sections.find((candidate) => candidate.name === MAPS_SECTION);
  if (section === undefined) return { maps: [], sectionIndex: -1, byOffset: new Map() };
  const dataSectionId = btf?.idsByName(MAPS_SECTION, 'data-section')[0];
  if (btf === undefined || dataSectionId === undefined) {
    throw malformed(elf.label, 'a section .maps but no BTF of it', 'build the object with clang -g');
  }
  const dataSection = btf.type(dataSectionId);
  const variables = dataSection.kind === 'data-section' ? dataSection.variables : [];
  const byOffset = new Map<number, PlacedMap>();
  const names = new Set<string>();
  for (const variable of variables) {
    const placed = readMap(btf, variable, section, elf.label);
    if (byOffset.has(placed.byteOffset) || names.has(placed.map.name)) {
      throw malformed(elf.label, `map ${placed.map.name} is defined twice`);
    }
    byOffset.set(placed.byteOffset, placed);
    names.add(placed.map.name);
  }
  checkSymbols(elf, section.index, byOffset);
  return { maps: [...byOffset.values()].map(({ map }) => map), sectionIndex: section.index, byOffset };
}

function readMap(btf: Btf, place: BtfSectionVariable, section: ElfSection, label: string): PlacedMap {
  const { byteOffset, byteSize } = place;
  const variable = btf.type(place.typeId);
  if (variable.kind !== 'variable') throw malformed(label, `.maps+${byteOffset} is not a variable`);
  const where = `${label}: map ${variable.name}`;
  if (variable.linkage === VARIABLE_LINKAGE.extern) {
    throw new VespidError('OBJECT_UNSUPPORTED', `${where} is declared extern`, {
      hint: 'link the objects first: bpftool gen object OUT.o IN.o…',
    });
  }
  if (byteOffset + byteSize > section.byteSize)
    throw malformed(label, `map ${variable.name} ends after .maps`);
  const type = underlyingType(btf, variable.typeId);
  if (type.kind !== 'struct') {
    throw malformed(label, `map ${variable.name} is of kind ${type.kind}, not a struct`);
  }
  const map = readMapAttributes(btf, type, variable.name, where);
  const last = type.members.at(-1);
  const hasContents = isMapWithContents(map.type) && last?.name === 'values';
  return { map, byteOffset, byteSize, contentsOffset: hasContents ? last.bitOffset / 8 : undefined };
}

/** A variable in .maps that BTF does not describe would be a map that nobody creates. */
function checkSymbols(elf: ElfFile, sectionIndex: number, byOffset: ReadonlyMap<number, PlacedMap>): void {
  for (const symbol of elf.symbols) {
    if (symbol.sectionIndex !== sectionIndex || symbol.type !== SYMBOL_TYPE.object) continue;
    if (byOffset.get(symbol.value)?.map.name === symbol.name) continue;
    throw malformed(elf.label, `.maps+${symbol.value}: ${symbol.name} is not a map in the BTF`);
  }
}

function malformed(label: string, message: string, hint?: string): VespidError {
  return new VespidError('OBJECT_MALFORMED', `${label}: ${message}`, hint === undefined ? {} : { hint });
}

import { VespidError } from '../../errors/index.js';
import { POINTER_BYTES } from '../btf/btf-layout.js';
import { SECTION_INDEX_RESERVED } from '../elf/elf-format.js';
import type { ElfFile } from '../elf/elf-reader.js';
import type { ElfRelocation } from '../elf/elf-relocations.js';
import { MAP_TYPE } from '../isa.js';
import type { PlacedMap, PlacedMaps } from './map-definitions.js';
import type { InitialElement, ObjectMap } from './object-map.js';
import { lastUpTo } from './sorted-places.js';
import type { FunctionAt } from './struct-ops.js';

/** Keys of what a map may hold from the start are 32-bit indexes. */
const INDEX_BYTES = 4;

/**
 * The maps with what they hold from the start: each relocation of `.maps` is the pointer to one element.
 * @param programAt the program that begins at a place
 * @throws VespidError OBJECT_MALFORMED
 */
export function withInitialContents(
  elf: ElfFile,
  placed: PlacedMaps,
  programAt: FunctionAt,
): readonly ObjectMap[] {
  const relocations = placed.sectionIndex === -1 ? [] : elf.relocations.of(placed.sectionIndex);
  if (relocations.length === 0) return placed.maps;
  const holders = [...placed.byOffset.values()].sort((a, b) => a.byteOffset - b.byteOffset);
  const contents = new Map<ObjectMap, InitialElement[]>();
  for (const relocation of relocations) {
    const holder = holderOf(holders, relocation, elf.label);
    const elements = contents.get(holder.map) ?? [];
    contents.set(holder.map, elements);
    elements.push({
      index: indexOf(holder, relocation, elf.label),
      target: targetOf(elf, placed, holder.map, relocation, programAt),
    });
  }
  return placed.maps.map((map) => {
    const elements = contents.get(map);
    if (elements === undefined) return map;
    return { ...map, initialContents: elements.sort((a, b) => a.index - b.index) };
  });
}

function holderOf(holders: readonly PlacedMap[], { byteOffset }: ElfRelocation, label: string): PlacedMap {
  const holder = lastUpTo(holders, byteOffset);
  if (holder !== undefined && byteOffset + POINTER_BYTES <= holder.byteOffset + holder.byteSize)
    return holder;
  throw malformed(label, `.maps+${byteOffset}: a pointer outside of every map`);
}

function indexOf(holder: PlacedMap, { byteOffset }: ElfRelocation, label: string): number {
  const { map, contentsOffset } = holder;
  const index = (byteOffset - holder.byteOffset - (contentsOffset ?? 0)) / POINTER_BYTES;
  if (contentsOffset !== undefined && Number.isInteger(index) && index >= 0) return index;
  throw malformed(label, `map ${map.name}: a pointer that is not one of its values`);
}

function targetOf(
  elf: ElfFile,
  placed: PlacedMaps,
  holder: ObjectMap,
  relocation: ElfRelocation,
  programAt: FunctionAt,
): InitialElement['target'] {
  const symbol = elf.symbols[relocation.symbolIndex];
  if (symbol === undefined || symbol.sectionIndex >= SECTION_INDEX_RESERVED) {
    throw malformed(elf.label, `map ${holder.name}: a value that is in no section`);
  }
  if (holder.type === MAP_TYPE.progArray) {
    const program = programAt(symbol.sectionIndex, symbol.value);
    if (program !== undefined) return { kind: 'program', program };
    throw malformed(elf.label, `map ${holder.name}: its value ${symbol.name} is not a program`);
  }
  if (holder.keySize !== INDEX_BYTES) {
    throw malformed(elf.label, `map ${holder.name}: values, but keys of ${holder.keySize} bytes`);
  }
  const target = symbol.sectionIndex === placed.sectionIndex ? placed.byOffset.get(symbol.value) : undefined;
  if (target !== undefined) return { kind: 'map', map: target.map };
  throw malformed(elf.label, `map ${holder.name}: its value ${symbol.name} is not a map`);
}

function malformed(label: string, message: string): VespidError {
  return new VespidError('OBJECT_MALFORMED', `${label}: ${message}`);
}

import { VespidError } from '../../errors/index.js';
import type { Btf } from '../btf/btf-reader.js';
import type { ElfFile } from '../elf/elf-reader.js';
import { MAP_TYPE } from '../isa.js';
import { type DataVariable, readVariables, sectionContent } from './data-sections.js';
import type { ObjectMap } from './object-map.js';

/** Global variables that live in an arena map (section `.addr_space.1`): its first pages. */
export interface ArenaSection {
  /** The object's only map of type arena. */
  readonly mapName: string;
  readonly bytes: Uint8Array;
  readonly variables: readonly DataVariable[];
}

/** Where clang puts variables of address space 1 (`__arena`). */
export const ARENA_SECTION = '.addr_space.1';

/** @throws VespidError OBJECT_MALFORMED for variables without an arena, or an object with two arenas */
export function readArena(
  elf: ElfFile,
  btf: Btf | undefined,
  maps: readonly ObjectMap[],
): ArenaSection | undefined {
  const [map, second] = maps.filter(({ type }) => type === MAP_TYPE.arena);
  if (second !== undefined) {
    throw new VespidError('OBJECT_MALFORMED', `${elf.label}: two arenas, ${map?.name} and ${second.name}`, {
      hint: 'an object has one arena, in which its variables live',
    });
  }
  const section = elf.sections.find(({ name, byteSize }) => name === ARENA_SECTION && byteSize > 0);
  if (section === undefined) return undefined;
  if (map === undefined) {
    throw new VespidError(
      'OBJECT_MALFORMED',
      `${elf.label}: arena variables (${ARENA_SECTION}), but no arena`,
      {
        hint: 'declare a map of type BPF_MAP_TYPE_ARENA in SEC(".maps")',
      },
    );
  }
  const typeId = btf?.idsByName(ARENA_SECTION, 'data-section')[0] ?? 0;
  return {
    mapName: map.name,
    bytes: sectionContent(section),
    variables: readVariables(elf, section, btf, typeId),
  };
}

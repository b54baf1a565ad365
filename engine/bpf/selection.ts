import {
  type LinkedProgram,
  linkProgram,
  type ObjectFile,
  type ObjectFunction,
  type ObjectMap,
  parseSectionName,
  type SectionMeaning,
  SLOT_BYTES,
  type StructOpsMap,
} from '../bytecode/index.js';
import { VespidError } from '../errors/index.js';

/**
 * Slots of all programs of one load, each with the functions that it calls: 128 MB. The largest objects have some
 * hundred thousand; a hostile one of 8 MB, with one large function that thousands of programs call, would have 30 GB.
 */
export const MAX_LINKED_SLOTS = 16 * 1024 * 1024;

/** A program that will be loaded, with all that its object alone says about it. */
export interface SelectedProgram {
  readonly function: ObjectFunction;
  readonly meaning: SectionMeaning;
  readonly linked: LinkedProgram;
}

/** The parts of an object that one load makes. */
export interface Selection {
  readonly programs: readonly SelectedProgram[];
  readonly maps: readonly ObjectMap[];
  /** Names of data sections. */
  readonly dataSections: ReadonlySet<string>;
  readonly structOps: readonly StructOpsMap[];
  readonly usesKconfig: boolean;
}

export type ProgramFilter = (program: ObjectFunction) => boolean;

/**
 * What a load makes of an object. Without a filter that is what libbpf makes: every program and struct_ops map but
 * those of sections with a `?`, and all maps, used or not. With one, the programs that it takes and no map that
 * none of them uses.
 *
 * @throws VespidError OBJECT_SECTION_UNKNOWN, OBJECT_MALFORMED, OBJECT_UNSUPPORTED beyond {@link MAX_LINKED_SLOTS}
 */
export function selectParts(object: ObjectFile, filter: ProgramFilter | undefined): Selection {
  const structOps = object.structOps.filter(
    (map) =>
      map.isLoadedByDefault &&
      (filter === undefined ||
        (map.functions.length > 0 && map.functions.every(({ program }) => filter(program)))),
  );
  const programs = selectPrograms(object, structOps, filter);
  if (filter === undefined) {
    const dataSections = new Set(object.dataSections.map(({ name }) => name));
    return { programs, maps: object.maps, dataSections, structOps, usesKconfig: object.kconfigByteSize > 0 };
  }
  const used = usedMapNames(object, programs);
  return {
    programs,
    maps: object.maps.filter(({ name }) => used.has(name)),
    dataSections: new Set(
      programs.flatMap(({ linked }) => linked.dataReferences.map((each) => each.section)),
    ),
    structOps,
    usesKconfig: programs.some(({ linked }) => linked.kconfigReferences.length > 0),
  };
}

/** Programs of a struct_ops variable follow that variable, whatever their own section says. */
function selectPrograms(
  object: ObjectFile,
  structOps: readonly StructOpsMap[],
  filter: ProgramFilter | undefined,
): SelectedProgram[] {
  const ofAny = new Set(object.structOps.flatMap(({ functions }) => functions.map(({ program }) => program)));
  const ofSelected = new Set(structOps.flatMap(({ functions }) => functions.map(({ program }) => program)));
  let slotCount = 0;
  return object.programs.flatMap((program) => {
    if (ofAny.has(program) ? !ofSelected.has(program) : filter !== undefined && !filter(program)) return [];
    const meaning = parseSectionName(program.section);
    if (!ofAny.has(program) && filter === undefined && !meaning.isLoadedByDefault) return [];
    const linked = linkProgram(object, program);
    slotCount += linked.instructions.byteLength / SLOT_BYTES;
    if (slotCount > MAX_LINKED_SLOTS) {
      throw new VespidError(
        'OBJECT_UNSUPPORTED',
        `${object.name}: its programs have over ${MAX_LINKED_SLOTS} instructions with all that they call`,
        { hint: 'load some of its programs at a time' },
      );
    }
    return [{ function: program, meaning, linked }];
  });
}

/** Those that instructions name, and those that lie in one of these from the start. */
function usedMapNames(object: ObjectFile, programs: readonly SelectedProgram[]): ReadonlySet<string> {
  const names = new Set<string>();
  const byName = new Map(object.maps.map((map) => [map.name, map]));
  const add = (name: string): void => {
    if (names.has(name)) return;
    names.add(name);
    for (const { target } of byName.get(name)?.initialContents ?? []) {
      if (target.kind === 'map') add(target.map.name);
    }
  };
  for (const { linked } of programs) {
    for (const { map } of linked.mapReferences) add(map);
    if (linked.arenaReferences.length > 0 && object.arena !== undefined) add(object.arena.mapName);
  }
  return names;
}

import { isGplCompatible, type TicketFacts } from '../../lsm-hooks/index.js';
import {
  applyCoreRelocations,
  type LinkedProgram,
  linkProgram,
  MAP_TYPE,
  type MapDefinition,
  type ObjectFile,
  type ObjectFunction,
  PSEUDO,
  parseSectionName,
  type SectionMeaning,
  SLOT_BYTES,
} from '../bytecode/index.js';
import { VespidError } from '../errors/index.js';
import {
  attachTargetId,
  BpfMap,
  BpfProgram,
  findVmlinuxBtfId,
  loadBtf,
  MAP_FLAG,
  type OwnedFd,
  ResourceStack,
  u32Key,
  vmlinuxBtf,
} from '../kernel/index.js';
import type { Admission } from './admission.js';

/** Values for the members of a read-only global, written over its bytes before the program is loaded. */
export type ConstantValues = Readonly<Record<string, Uint8Array>>;

export interface LoadOptions {
  readonly constants: ConstantValues;
  /** Maps that exist already and stand in for those of the same name. */
  readonly sharedMaps: ReadonlyMap<string, BpfMap>;
  readonly admission: Admission;
  /**
   * Refuse a program that needs a kernel field which is not there. Programs of ours guard nothing by tests for
   * existence; a foreign one may, and then the verifier decides whether the access can be reached.
   */
  readonly needsEveryField: boolean;
  /** Called for each map right after it was made. */
  readonly onMap?: (map: BpfMap) => void;
}

/** Programs in the kernel, not attached yet. */
export interface LoadedObject extends Disposable {
  readonly programs: readonly LoadedProgram[];
  readonly maps: ReadonlyMap<string, BpfMap>;
}

export interface LoadedProgram {
  readonly name: string;
  readonly meaning: SectionMeaning;
  readonly program: BpfProgram;
}

/**
 * Relocates the named programs of an object for this kernel and loads them: types, maps, then each program in
 * turn, announced to the gate just before its load. On any failure nothing stays behind.
 *
 * @throws VespidError CORE_UNRESOLVED, OBJECT_UNSUPPORTED, PROGRAM_REFUSED, KERNEL_*
 */
export function loadObject(
  object: ObjectFile,
  programs: readonly ObjectFunction[],
  options: LoadOptions,
): LoadedObject {
  using resources = new ResourceStack();
  const btf = object.btf === undefined ? undefined : resources.use(loadBtf(object.btf.bytes));
  const linkedPrograms = programs.map((program) => linkProgram(object, program));
  const maps = createMaps(object, linkedPrograms, options, resources);
  const loaded = linkedPrograms.map((linked) => {
    const meaning = parseSectionName(linked.section);
    const instructions = patchMaps(relocate(object, linked, options.needsEveryField), linked, maps);
    return {
      name: linked.name,
      meaning,
      program: resources.use(loadProgram(object, linked, meaning, instructions, btf, options.admission)),
    };
  });
  const owned = resources.move();
  return { programs: loaded, maps, [Symbol.dispose]: () => owned[Symbol.dispose]() };
}

/** The maps and data sections that the programs refer to. */
function createMaps(
  object: ObjectFile,
  programs: readonly LinkedProgram[],
  options: LoadOptions,
  resources: ResourceStack,
): Map<string, BpfMap> {
  const maps = new Map<string, BpfMap>();
  const create = (definition: MapDefinition): BpfMap => {
    const map = resources.use(BpfMap.create(definition));
    options.onMap?.(map);
    return map;
  };
  const mapNames = new Set(programs.flatMap(({ mapReferences }) => mapReferences.map(({ map }) => map)));
  for (const definition of object.maps.filter(({ name }) => mapNames.has(name))) {
    maps.set(definition.name, options.sharedMaps.get(definition.name) ?? create(definition));
  }
  const sections = new Set(
    programs.flatMap(({ dataReferences }) => dataReferences.map((each) => each.section)),
  );
  for (const section of object.dataSections.filter(({ name }) => sections.has(name))) {
    const bytes = section.bytes.slice();
    for (const { name, byteOffset, byteSize } of section.variables) {
      const value = options.constants[name];
      if (value?.byteLength === byteSize) bytes.set(value, byteOffset);
    }
    const map = create({
      name: section.name,
      type: MAP_TYPE.array,
      keySize: 4,
      valueSize: bytes.byteLength,
      maxEntries: 1,
      flags: section.isWritable ? 0 : MAP_FLAG.readOnlyForPrograms,
    });
    map.update(u32Key(0), bytes);
    if (!section.isWritable) map.freeze();
    maps.set(section.name, map);
  }
  return maps;
}

function relocate(object: ObjectFile, linked: LinkedProgram, needsEveryField: boolean): Uint8Array {
  const [extern] = [...linked.kfuncReferences, ...linked.externReferences];
  if (extern !== undefined) {
    throw new VespidError(
      'OBJECT_UNSUPPORTED',
      `${object.name}: ${linked.name} uses the kernel's ${extern.name}`,
      {
        hint: 'kernel functions (kfuncs) and variables are not supported yet',
      },
    );
  }
  if (linked.kconfigReferences.length > 0 || linked.arenaReferences.length > 0) {
    throw new VespidError(
      'OBJECT_UNSUPPORTED',
      `${object.name}: ${linked.name} reads the kernel's configuration, or an arena`,
    );
  }
  if (linked.coreRelocations.length === 0 || object.btf === undefined) return linked.instructions.slice();
  const { instructions, poisoned } = applyCoreRelocations(linked, object.btf, {
    vmlinux: vmlinuxBtf(),
    modules: () => [],
  });
  const [missing] = poisoned;
  if (missing !== undefined && needsEveryField) {
    throw new VespidError('KERNEL_UNSUPPORTED', `${missing.place}: ${missing.reason}`);
  }
  return instructions;
}

/** Puts map file descriptors into `ld_imm64` (RFC 9669 section 5.4): the map, or a byte of its only value. */
function patchMaps(
  instructions: Uint8Array,
  linked: LinkedProgram,
  maps: ReadonlyMap<string, BpfMap>,
): Uint8Array {
  const view = new DataView(instructions.buffer, instructions.byteOffset, instructions.byteLength);
  const patch = (slotIndex: number, name: string, subtype: number, second: number) => {
    const map = maps.get(name);
    if (map === undefined)
      throw new VespidError('OBJECT_UNSUPPORTED', `${linked.objectName}: no map ${name}`);
    const at = slotIndex * SLOT_BYTES;
    view.setUint8(at + 1, (subtype << 4) | (view.getUint8(at + 1) & 0xf));
    view.setInt32(at + 4, map.fd, true);
    view.setInt32(at + SLOT_BYTES + 4, second, true);
  };
  for (const { slotIndex, map } of linked.mapReferences) patch(slotIndex, map, PSEUDO.mapFd, 0);
  for (const { slotIndex, section, byteOffset } of linked.dataReferences) {
    patch(slotIndex, section, PSEUDO.mapValue, byteOffset);
  }
  return instructions;
}

function loadProgram(
  object: ObjectFile,
  linked: LinkedProgram,
  meaning: SectionMeaning,
  instructions: Uint8Array,
  btf: OwnedFd | undefined,
  admission: Admission,
): BpfProgram {
  const attachBtfId = meaning.attachBtf === null ? 0 : attachTargetId(meaning.attachBtf);
  const facts: TicketFacts = {
    programType: meaning.programType,
    expectedAttachType: meaning.attachType,
    attachBtfId,
    attachBtfObjectId: attachBtfId === 0 ? 0 : findVmlinuxBtfId(),
    hasTargetProgram: false,
    gplCompatible: isGplCompatible(object.license),
  };
  return BpfProgram.load({
    name: linked.name,
    type: meaning.programType,
    expectedAttachType: meaning.attachType,
    attachBtfId,
    license: object.license,
    instructions,
    sleepable: meaning.sleepable,
    btf,
    functionInfo: linked.functionInfo,
    beforeAttempt: () => admission.admit(facts, instructions),
  });
}

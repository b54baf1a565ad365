import { type BtfValue, btfCodec, type ObjectFile } from '../bytecode/index.js';
import { suggestName, VespidError } from '../errors/index.js';
import { type BpfMap, btfMapView, type MapView, type ResourceStack } from '../kernel/index.js';
import { attachLoaded } from './attach/attach.js';
import { attachEach } from './attach/attach-all.js';
import type { AttachOptions } from './attach/attach-options.js';
import { ARENA_SECTION, findVariable } from './data/find-variable.js';
import { elementMemory, type GlobalMemory, sharedMemory } from './data/global-memory.js';
import { GlobalVariable } from './data/global-variable.js';
import type { ObjectMaps } from './maps/object-maps.js';
import type { LoadedProgram } from './programs/loaded-program.js';
import { LoadedStructOps } from './struct-ops/loaded-struct-ops.js';
import type { PlannedStructOps } from './struct-ops/struct-ops-map.js';

/** What a load has made; {@link LoadedObject} takes it over. */
export interface LoadedParts {
  readonly programs: readonly LoadedProgram[];
  readonly maps: ObjectMaps;
  readonly structOps: readonly PlannedStructOps[];
  readonly arena: GlobalMemory | undefined;
}

/**
 * An object in the kernel: its programs, its maps and its global variables, attached or not. It owns them all, and
 * closes them with `using` or dispose; what is attached by then stays attached for as long as its link is open.
 */
export class LoadedObject implements Disposable {
  readonly name: string;
  /** In the object's order. */
  readonly programs: readonly LoadedProgram[];
  /** By name; the maps of data sections by the section's (`.bss`, `.rodata`). */
  readonly maps: ReadonlyMap<string, BpfMap>;
  readonly structOps: readonly LoadedStructOps[];
  readonly #object: ObjectFile;
  readonly #resources: ResourceStack;
  readonly #memories = new Map<string, GlobalMemory>();

  constructor(object: ObjectFile, parts: LoadedParts, resources: ResourceStack) {
    this.name = object.name;
    this.programs = parts.programs;
    this.maps = parts.maps.byName;
    this.structOps = parts.structOps.flatMap((planned) => {
      const map = parts.maps.byName.get(planned.declared.name);
      return map === undefined ? [] : [new LoadedStructOps(planned, map, parts.programs)];
    });
    if (parts.arena !== undefined) this.#memories.set(ARENA_SECTION, parts.arena);
    this.#object = object;
    this.#resources = resources;
  }

  /** @throws VespidError OBJECT_PROGRAM_UNKNOWN naming those that were loaded */
  program(name: string): LoadedProgram {
    const found = this.programs.find((program) => program.name === name);
    if (found !== undefined) return found;
    throw new VespidError('OBJECT_PROGRAM_UNKNOWN', `${this.name}: no program ${name} was loaded`, {
      hint: suggestName(
        name,
        this.programs.map((program) => program.name),
      ),
    });
  }

  /** @throws VespidError OBJECT_MAP_UNKNOWN naming those that there are */
  map(name: string): BpfMap {
    const found = this.maps.get(name);
    if (found !== undefined) return found;
    throw new VespidError('OBJECT_MAP_UNKNOWN', `${this.name}: there is no map ${name}`, {
      hint: suggestName(name, [...this.maps.keys()]),
    });
  }

  /**
   * A map by the types that the object declares for it: keys and values as JavaScript values.
   *
   * @throws VespidError OBJECT_MAP_UNKNOWN, BTF_VALUE_UNSUPPORTED for a map without types
   */
  view(name: string): MapView<BtfValue, BtfValue> {
    const map = this.map(name);
    const { btf, maps } = this.#object;
    const declared = maps.find((candidate) => candidate.name === name);
    if (btf !== undefined && declared !== undefined) return btfMapView(map, btf, declared);
    throw new VespidError('BTF_VALUE_UNSUPPORTED', `${this.name}: map ${name} is declared without types`);
  }

  /**
   * A global variable, to be read and written while programs run.
   *
   * @throws VespidError OBJECT_VARIABLE_UNKNOWN, BTF_VALUE_UNSUPPORTED, KERNEL_* when its memory cannot be mapped
   */
  variable(name: string): GlobalVariable {
    const { section, variable } = findVariable(this.#object, name);
    const { byteOffset, byteSize, typeId } = variable;
    const { btf } = this.#object;
    const codec = btf === undefined ? undefined : btfCodec(btf, typeId, `variable ${name}`);
    if (codec === undefined) throw new VespidError('INTERNAL', `${this.name}: ${name} has no type`);
    return new GlobalVariable(name, byteSize, { memory: this.#memoryOf(section), byteOffset, codec });
  }

  /**
   * Attaches all programs where their sections say, or `options` says for all of them, and registers struct_ops.
   *
   * @returns what to close to detach again; closing the object alone does not
   * @throws VespidError ATTACH_UNSUPPORTED, KERNEL_*; nothing stays attached then
   */
  attachAll(options: AttachOptions = {}): Disposable {
    return attachEach(this.programs, this.structOps, (program) => attachLoaded(program, options));
  }

  #memoryOf(section: string): GlobalMemory {
    const known = this.#memories.get(section);
    if (known !== undefined) return known;
    const memory = this.#openMemory(section);
    this.#memories.set(section, memory);
    return memory;
  }

  #openMemory(section: string): GlobalMemory {
    const map = this.map(section);
    const { isWritable, isMappable } = this.#object.dataSections.find(({ name }) => name === section) ?? {
      isWritable: false,
      isMappable: false,
    };
    if (!isMappable) return elementMemory(map, isWritable);
    return sharedMemory(this.#resources.use(map.mapMemory({ writable: isWritable })), isWritable);
  }

  [Symbol.dispose](): void {
    this.#resources[Symbol.dispose]();
  }
}

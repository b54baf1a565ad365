import { rmSync } from 'node:fs';
import { type DataSection, MAP_TYPE, type ObjectFile, type ObjectMap } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { type BpfMap, type OwnedFd, ResourceStack, u32Key } from '../../kernel/index.js';
import { createDataMap, dataMapDefinition } from '../data/data-map.js';
import { createObjectMap } from './map-create.js';
import { openPinnedMap, pinMap, pinPathOf } from './pinned-map.js';

/** Name of the data section that a loader fills with the kernel's configuration. */
export const KCONFIG_SECTION = '.kconfig';

export interface MapOptions {
  /** Maps that exist already and stand in for those of the same name; they stay their owner's. */
  readonly maps: ReadonlyMap<string, BpfMap>;
  /** Directory of the maps that are pinned by name; null: none is looked for, none is pinned. */
  readonly pinPath: string | null;
  /** Called right after each map was made or opened. */
  readonly onMap: ((map: BpfMap) => void) | undefined;
}

/** The maps of one load, by their names in the object; data sections by the names of their sections. */
export class ObjectMaps implements Disposable {
  readonly byName = new Map<string, BpfMap>();
  readonly #object: ObjectFile;
  readonly #btf: OwnedFd | undefined;
  readonly #options: MapOptions;
  readonly #resources = new ResourceStack();
  /** Names of those that are new. */
  readonly #created = new Set<string>();
  /** Pins of our making, which go with a load that fails. */
  readonly #pins: string[] = [];

  constructor(object: ObjectFile, btf: OwnedFd | undefined, options: MapOptions) {
    this.#object = object;
    this.#btf = btf;
    this.#options = options;
  }

  /**
   * Creates a map, finds its pin, or takes the caller's.
   *
   * @throws VespidError MAP_INCOMPATIBLE, KERNEL_*
   */
  add(declared: ObjectMap): BpfMap {
    const given = this.#options.maps.get(declared.name);
    const map = given ?? this.#openOrCreate(declared);
    if (given !== undefined) checkStandIn(declared, given);
    this.byName.set(declared.name, map);
    return map;
  }

  /** Creates the map of a data section; a section that is not writable is frozen. */
  addData(section: DataSection): BpfMap {
    const map = this.#own(createDataMap(dataMapDefinition(this.#object, section), section, this.#btf));
    this.byName.set(section.name, map);
    return map;
  }

  /** Creates the map of the configuration values, which no program may change. */
  addKconfig(bytes: Uint8Array): BpfMap {
    const typeId = this.#object.btf?.idsByName(KCONFIG_SECTION, 'data-section')[0] ?? 0;
    return this.addData({
      name: KCONFIG_SECTION,
      isWritable: false,
      isMappable: true,
      bytes,
      typeId,
      variables: [],
    });
  }

  /** Takes over a map that was made elsewhere. */
  adopt(name: string, map: BpfMap): BpfMap {
    this.byName.set(name, this.#own(map));
    return map;
  }

  /** Fills the new maps of maps; one that exists already has its contents, and program arrays wait for programs. */
  fillMapsOfMaps(maps: readonly ObjectMap[]): void {
    for (const { name, initialContents, type } of maps) {
      if (type === MAP_TYPE.progArray || !this.#created.has(name)) continue;
      for (const { index, target } of initialContents) {
        const inner = target.kind === 'map' ? this.byName.get(target.map.name) : undefined;
        if (inner !== undefined) this.byName.get(name)?.update(u32Key(index), u32Key(inner.fd));
      }
    }
  }

  /** Whether this load made the map, and did not find it. */
  isNew(name: string): boolean {
    return this.#created.has(name);
  }

  /** Takes back the pins of a load that failed. */
  unpin(): void {
    for (const path of this.#pins.splice(0)) rmSync(path, { force: true });
  }

  #openOrCreate(declared: ObjectMap): BpfMap {
    const { pinPath } = this.#options;
    const path = declared.pinning === 'none' || pinPath === null ? undefined : pinPathOf(pinPath, declared);
    const pinned = path === undefined ? undefined : openPinnedMap(declared, path);
    if (pinned !== undefined) return this.#own(pinned);
    const created = this.#own(createObjectMap(declared, this.#btf));
    this.#created.add(declared.name);
    if (path === undefined) return created;
    pinMap(created, path);
    this.#pins.push(path);
    return created;
  }

  #own(map: BpfMap): BpfMap {
    this.#resources.use(map);
    this.#options.onMap?.(map);
    return map;
  }

  [Symbol.dispose](): void {
    this.#resources[Symbol.dispose]();
  }
}

/** What a program does with a map depends on these three; the number of elements is the owner's business. */
function checkStandIn(declared: ObjectMap, given: BpfMap): void {
  const { type, keySize, valueSize } = given.definition;
  if (type === declared.type && keySize === declared.keySize && valueSize === declared.valueSize) return;
  throw new VespidError(
    'MAP_INCOMPATIBLE',
    `map ${declared.name} is of type ${declared.type} with ${declared.keySize} and ${declared.valueSize} bytes of key and value, and the one given for it of type ${type} with ${keySize} and ${valueSize}`,
    { details: { map: declared.name } },
  );
}

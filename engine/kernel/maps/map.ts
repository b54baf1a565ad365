import type { MapDefinition } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { bpfError, type Command } from '../commands/bpf-command.js';
import { TOKEN_FD_FLAG } from '../commands/btf-commands.js';
import {
  createMap,
  type ElementCommand,
  freezeMap,
  mapElement,
  nextMapKey,
} from '../commands/map-commands.js';
import { openById } from '../objects/object-id.js';
import { type MapInfo, mapInfo } from '../objects/object-info.js';
import { openPinned, pin } from '../objects/object-pin.js';
import { errnoName, type MemoryMapping, type SystemCallResult } from '../system/libc.js';
import { OwnedFd } from '../system/owned-fd.js';
import { deleteMany, drain, updateMany } from './map-batch.js';
import { type MapEntry, mapEntries, mapKeys } from './map-iteration.js';
import { descriptorBytes } from './map-keys.js';
import { mapMemoryOf } from './map-memory.js';
import { valueBytes } from './map-shape.js';
import { joinPerCpu, splitPerCpu } from './per-cpu-value.js';

/** BPF_F_* flags of BPF_MAP_CREATE, include/uapi/linux/bpf.h. */
export const MAP_FLAG = {
  noPreallocation: 0x1,
  noCommonLru: 0x2,
  numaNode: 0x4,
  readOnlyForUser: 0x8,
  writeOnlyForUser: 0x10,
  stackBuildId: 0x20,
  zeroSeed: 0x40,
  readOnlyForPrograms: 0x80,
  writeOnlyForPrograms: 0x100,
  clone: 0x200,
  mappable: 0x400,
  preserveElements: 0x800,
  innerMap: 0x1000,
  link: 0x2000,
  pathFd: 0x4000,
  valueTypeBtfFd: 0x8000,
  tokenFd: 0x1_0000,
  segvOnFault: 0x2_0000,
  noUserConversion: 0x4_0000,
} as const;

/** Flags of BPF_MAP_UPDATE_ELEM. */
export const UPDATE_FLAG = { any: 0n, createOnly: 1n, replaceOnly: 2n, locked: 4n } as const;

const NO_BYTES = new Uint8Array(0);

/** A map to be made: {@link MapDefinition} and what only some maps need. */
export interface MapCreate extends MapDefinition {
  /** Hash functions of a bloom filter, address of an arena. */
  readonly mapExtra?: bigint | undefined;
  /** Counts only with {@link MAP_FLAG.numaNode}. */
  readonly numaNode?: number | undefined;
  /** What the maps in a map of maps look like; the kernel copies the shape, the map may be closed. */
  readonly innerMap?: BpfMap | undefined;
  /** Types of key and value in BTF that is loaded. */
  readonly btf?:
    | { readonly fd: number; readonly keyTypeId: number; readonly valueTypeId: number }
    | undefined;
  /**
   * `btf_vmlinux_value_type_id`: the kernel's struct that wraps the value of a struct_ops map. Such a map needs
   * {@link btf} as well, with both of its type ids 0.
   */
  readonly structOpsTypeId?: number | undefined;
  /** The module's BTF that {@link structOpsTypeId} is in; the flag for it is set here. */
  readonly valueTypeBtfObjFd?: number | undefined;
  /** The device of an offloaded map. */
  readonly interfaceIndex?: number | undefined;
  /** Delegated rights; the flag for it is set here. */
  readonly token?: OwnedFd | undefined;
}

/**
 * A BPF map that this process holds. Keys and values are raw bytes of the map's own sizes, which are checked here:
 * the kernel copies by them whatever the buffer's, and a short buffer would be memory corruption. A per-CPU value
 * is that of all possible CPUs in a row, 8-byte aligned each (`perCpuValues`); a value of a map of maps, program
 * array, perf event array or cgroup array is a 4-byte file descriptor on update and an id on lookup.
 */
export class BpfMap extends OwnedFd {
  /** Bytes of one value in user space. */
  readonly valueBytes: number;

  /** Takes over `fd`. */
  constructor(
    fd: number,
    readonly definition: MapDefinition,
  ) {
    super(fd);
    this.valueBytes = valueBytes(definition);
  }

  /**
   * BPF_MAP_CREATE.
   *
   * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED
   */
  static create(create: MapCreate): BpfMap {
    const { name, type, keySize, valueSize, maxEntries } = create;
    for (const [what, value] of Object.entries({ type, keySize, valueSize, maxEntries })) {
      checkU32(name, what, value);
    }
    const flags =
      create.flags |
      (create.token === undefined ? 0 : TOKEN_FD_FLAG) |
      (create.valueTypeBtfObjFd === undefined ? 0 : MAP_FLAG.valueTypeBtfFd);
    const result = createMap({
      mapType: type,
      keySize,
      valueSize,
      maxEntries,
      mapFlags: flags,
      mapName: name,
      innerMapFd: create.innerMap?.fd,
      numaNode: create.numaNode,
      interfaceIndex: create.interfaceIndex,
      btf: create.btf,
      vmlinuxValueTypeId: create.structOpsTypeId,
      mapExtra: create.mapExtra,
      valueTypeBtfObjectFd: create.valueTypeBtfObjFd,
      tokenFd: create.token?.fd,
    });
    if (!('value' in result)) throw bpfError('MAP_CREATE', result.errno, `map ${name}`);
    return new BpfMap(result.value, { name, type, keySize, valueSize, maxEntries, flags });
  }

  /**
   * The map with that id, wherever it comes from.
   *
   * @throws VespidError KERNEL_OBJECT_GONE when there is none, KERNEL_PERMISSION
   */
  static openById(id: number): BpfMap {
    return BpfMap.#adopt(openById('MAP', id).release(), `map ${id}`);
  }

  /**
   * The map that is pinned at `path`.
   *
   * @param expected if given, the pinned map must be of this form: all but its name
   * @throws VespidError PIN_NOT_FOUND, PIN_MISMATCH for a map of another form or an object that is none,
   *   KERNEL_PERMISSION
   */
  static openPinned(path: string, expected?: MapDefinition): BpfMap {
    using opened = openPinned(path, 'map');
    const map = BpfMap.#adopt(opened.release(), `map at ${path}`);
    if (expected === undefined) return map;
    const differences = mapDifferences(expected, map.definition);
    if (differences.length === 0)
      return new BpfMap(map.release(), { ...map.definition, name: expected.name });
    map.close();
    throw new VespidError(
      'PIN_MISMATCH',
      `the map at ${path} is not map ${expected.name}: ${differences.join(', ')}`,
      {
        hint: 'another program or version pinned it; remove the pin if nothing needs it, or pin elsewhere',
        details: { path, map: expected.name },
      },
    );
  }

  /** Owns the descriptor from the first line: nothing leaks when the kernel does not tell about it. */
  static #adopt(fd: number, subject: string): BpfMap {
    using owned = new OwnedFd(fd);
    const { name, type, keySize, valueSize, maxEntries, flags } = mapInfo(fd, subject);
    return new BpfMap(owned.release(), { name, type, keySize, valueSize, maxEntries, flags });
  }

  /** Fills `value` and gives true, or gives false when the map has no such key. */
  lookup(key: Uint8Array, value: Uint8Array, flags = 0n): boolean {
    return this.#isFound('MAP_LOOKUP_ELEM', this.#element('MAP_LOOKUP_ELEM', key, value, flags));
  }

  /** The value of the key, new bytes each time; undefined when the map has no such key. */
  get(key: Uint8Array): Uint8Array | undefined {
    const value = new Uint8Array(this.valueBytes);
    return this.lookup(key, value) ? value : undefined;
  }

  /**
   * Sets one element.
   *
   * @param flags one of {@link UPDATE_FLAG}
   * @throws VespidError KERNEL_CALL_FAILED: E2BIG when the map is full, EEXIST, ENOENT by the flags
   */
  update(key: Uint8Array, value: Uint8Array, flags: bigint = UPDATE_FLAG.any): void {
    const result = this.#element('MAP_UPDATE_ELEM', key, value, flags);
    if ('errno' in result) throw this.error('MAP_UPDATE_ELEM', result.errno);
  }

  /** Gives false when the map had no such key. */
  delete(key: Uint8Array): boolean {
    return this.#isFound('MAP_DELETE_ELEM', this.#element('MAP_DELETE_ELEM', key, undefined, 0n));
  }

  /** Takes the element out in one step; undefined when the map has no such key. Hash maps: kernel 5.14. */
  lookupAndDelete(key: Uint8Array): Uint8Array | undefined {
    const value = new Uint8Array(this.valueBytes);
    const result = this.#element('MAP_LOOKUP_AND_DELETE_ELEM', key, value, 0n);
    return this.#isFound('MAP_LOOKUP_AND_DELETE_ELEM', result) ? value : undefined;
  }

  /** Puts a value into a queue, stack or bloom filter. With `replaceOldest` a full queue makes room. */
  push(value: Uint8Array, { replaceOldest = false } = {}): void {
    this.update(NO_BYTES, value, replaceOldest ? UPDATE_FLAG.replaceOnly : UPDATE_FLAG.any);
  }

  /** Takes the next value of a queue or stack; undefined when it is empty. */
  pop(): Uint8Array | undefined {
    return this.lookupAndDelete(NO_BYTES);
  }

  /** The next value of a queue or stack, which stays there. */
  peek(): Uint8Array | undefined {
    return this.get(NO_BYTES);
  }

  /** Whether a bloom filter may hold the value: false is certain. */
  mayContain(value: Uint8Array): boolean {
    return this.lookup(NO_BYTES, Uint8Array.from(value));
  }

  /**
   * The key behind `key`; the first when `key` is undefined or no longer in the map; undefined at the end.
   *
   * @throws VespidError KERNEL_CALL_FAILED for a type that has no keys to walk (queue, ring buffer, storage)
   */
  nextKey(key: Uint8Array | undefined): Uint8Array | undefined {
    if (key !== undefined) this.checkElement(key);
    const next = new Uint8Array(this.definition.keySize);
    const result = nextMapKey(this.fd, key, next);
    return this.#isFound('MAP_GET_NEXT_KEY', result) ? next : undefined;
  }

  /**
   * Every element once, however programs change the map meanwhile; the loop's body may delete and add. Keys and
   * values are new bytes, the caller's to keep.
   */
  entries(): Generator<MapEntry, void, undefined> {
    return mapEntries(this);
  }

  /** Every key once. */
  keys(): Generator<Uint8Array, void, undefined> {
    return mapKeys(this);
  }

  /** Takes every element out, each exactly once. */
  drain(): Generator<MapEntry, void, undefined> {
    return drain(this);
  }

  /**
   * Sets many elements with few system calls.
   *
   * @throws VespidError MAP_ELEMENT_SIZE; KERNEL_CALL_FAILED: what stands before the element that failed is set
   */
  updateMany(entries: Iterable<MapEntry>, flags: bigint = UPDATE_FLAG.any): void {
    updateMany(this, entries, flags);
  }

  /** Deletes many elements with few system calls; gives how many of the keys there were. */
  deleteMany(keys: Iterable<Uint8Array>): number {
    return deleteMany(this, keys);
  }

  /** The values of a per-CPU map's element, one for each possible CPU; undefined when there is no such key. */
  getPerCpu(key: Uint8Array): Uint8Array[] | undefined {
    const bytes = this.get(key);
    return bytes === undefined ? undefined : splitPerCpu(bytes, this.definition.valueSize);
  }

  /** @throws VespidError MAP_ELEMENT_SIZE for another number of values than there are possible CPUs */
  updatePerCpu(key: Uint8Array, values: readonly Uint8Array[], flags: bigint = UPDATE_FLAG.any): void {
    this.update(key, joinPerCpu(values, this.definition.valueSize), flags);
  }

  /** Puts a map into a map of maps, a program into a program array, a cgroup into a cgroup array. */
  updateObject(key: Uint8Array, object: { readonly fd: number }, flags: bigint = UPDATE_FLAG.any): void {
    this.update(key, descriptorBytes(object), flags);
  }

  /** The id of the map or program at that key; undefined when there is none. Program arrays do not tell. */
  objectIdAt(key: Uint8Array): number | undefined {
    const value = this.get(key);
    return value === undefined ? undefined : new DataView(value.buffer).getUint32(0, true);
  }

  /** The map at a key of a map of maps, newly opened; undefined when there is none. */
  innerMapAt(key: Uint8Array): BpfMap | undefined {
    const id = this.objectIdAt(key);
    return id === undefined ? undefined : BpfMap.openById(id);
  }

  /**
   * The memory of an array made with {@link MAP_FLAG.mappable}, or of an arena.
   *
   * @throws VespidError KERNEL_UNSUPPORTED for another type, KERNEL_CALL_FAILED
   */
  mapMemory({
    writable = true,
    fixedAddress,
  }: {
    readonly writable?: boolean;
    readonly fixedAddress?: bigint | undefined;
  } = {}): MemoryMapping {
    return mapMemoryOf(this, writable, fixedAddress);
  }

  /** The kernel's view of the map. */
  info(): MapInfo {
    return mapInfo(this.fd, this.subject);
  }

  /** The kernel's id of this map. */
  id(): number {
    return this.info().id;
  }

  /** BPF_MAP_FREEZE: user space can write no more, so the verifier takes the contents for constants. */
  freeze(): void {
    freezeMap(this.fd, this.subject);
  }

  /**
   * Gives the map a name in a bpffs.
   *
   * @throws VespidError PIN_EXISTS, KERNEL_*
   */
  pin(path: string): void {
    pin(this.fd, path, this.subject);
  }

  /** For messages: `map events`. */
  get subject(): string {
    return `map ${this.definition.name}`;
  }

  /** The error of a command on this map. */
  error(command: Command, errno: number): VespidError {
    return bpfError(command, errno, this.subject);
  }

  #element(
    command: ElementCommand,
    key: Uint8Array,
    value: Uint8Array | undefined,
    flags: bigint,
  ): SystemCallResult {
    this.checkElement(key, value);
    return mapElement(command, this.fd, key, value ?? NO_BYTES, flags);
  }

  #isFound(command: ElementCommand | 'MAP_GET_NEXT_KEY', result: SystemCallResult): boolean {
    if ('value' in result) return true;
    if (errnoName(result.errno) === 'ENOENT') return false;
    throw this.error(command, result.errno);
  }

  /** @throws VespidError MAP_ELEMENT_SIZE */
  checkElement(key: Uint8Array, value?: Uint8Array): void {
    this.#check('key', key, this.definition.keySize);
    if (value !== undefined) this.#check('value', value, this.valueBytes);
  }

  #check(what: 'key' | 'value', bytes: Uint8Array, expected: number): void {
    const isBytes = bytes instanceof Uint8Array;
    if (isBytes && bytes.byteLength === expected) return;
    throw new VespidError(
      'MAP_ELEMENT_SIZE',
      `${this.subject}: expected a ${what} of ${expected} bytes, got ${isBytes ? bytes.byteLength : typeof bytes}`,
    );
  }
}

/** What does not fit would be cut, and the kernel's map have other sizes than the one that is described here. */
function checkU32(map: string, what: string, value: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff) return;
  throw new VespidError('MAP_DEFINITION_INVALID', `map ${map}: ${what} is no number of 32 bits: ${value}`);
}

/** What of `actual` is not as expected, in words; the name may differ, as the kernel cuts it. */
function mapDifferences(expected: MapDefinition, actual: MapDefinition): string[] {
  const members = ['type', 'keySize', 'valueSize', 'maxEntries', 'flags'] as const;
  return members
    .filter((member) => expected[member] !== actual[member])
    .map((member) => `${member} is ${actual[member]}, not ${expected[member]}`);
}

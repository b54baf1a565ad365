import type { MapDefinition } from '../bytecode/index.js';
import { VespidError } from '../errors/index.js';
import { Attributes } from './attributes.js';
import { bpf, bpfError, tryBpf } from './bpf-command.js';
import { errnoName } from './libc.js';
import { OwnedFd } from './owned-fd.js';
import { possibleCpuCount } from './possible-cpus.js';

/** BPF_F_* flags of include/uapi/linux/bpf.h. */
export const MAP_FLAG = { readOnlyForPrograms: 0x80 } as const;

/** Per-CPU hash, array, LRU hash and cgroup storage, enum bpf_map_type. */
const PER_CPU_TYPES = [5, 6, 10, 21];

/** A BPF map that this process holds. Keys and values are raw bytes of the sizes in `definition`. */
export class BpfMap extends OwnedFd {
  constructor(
    fd: number,
    readonly definition: MapDefinition,
  ) {
    super(fd);
  }

  /**
   * BPF_MAP_CREATE.
   *
   * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED
   */
  static create(definition: MapDefinition): BpfMap {
    const attributes = new Attributes(72)
      .u32(0, definition.type)
      .u32(4, definition.keySize)
      .u32(8, definition.valueSize)
      .u32(12, definition.maxEntries)
      .u32(16, definition.flags)
      .objectName(28, definition.name);
    return new BpfMap(bpf('MAP_CREATE', attributes, `map ${definition.name}`), definition);
  }

  /** Sets one element; for a per-CPU map the value is that of all possible CPUs, 8-byte aligned each. */
  update(key: Uint8Array, value: Uint8Array): void {
    this.#checkValue(value);
    bpf('MAP_UPDATE_ELEM', this.#element(key).pointer(16, value), `map ${this.definition.name}`);
  }

  /** Fills `value` and gives true, or gives false when the map has no such key. */
  lookup(key: Uint8Array, value: Uint8Array): boolean {
    this.#checkValue(value);
    const result = tryBpf('MAP_LOOKUP_ELEM', this.#element(key).pointer(16, value));
    if ('value' in result) return true;
    if (errnoName(result.errno) === 'ENOENT') return false;
    throw bpfError('MAP_LOOKUP_ELEM', result.errno, `map ${this.definition.name}`);
  }

  /** Gives false when the map had no such key. */
  delete(key: Uint8Array): boolean {
    const result = tryBpf('MAP_DELETE_ELEM', this.#element(key));
    if ('value' in result) return true;
    if (errnoName(result.errno) === 'ENOENT') return false;
    throw bpfError('MAP_DELETE_ELEM', result.errno, `map ${this.definition.name}`);
  }

  /** The kernel's id of this map, `struct bpf_map_info`. */
  id(): number {
    const info = new Uint8Array(80);
    const attributes = new Attributes(16).u32(0, this.fd).u32(4, info.byteLength).pointer(8, info);
    bpf('OBJ_GET_INFO_BY_FD', attributes, `map ${this.definition.name}`);
    return new DataView(info.buffer).getUint32(4, true);
  }

  /** BPF_MAP_FREEZE: user space can write no more, so the verifier takes the contents for constants. */
  freeze(): void {
    bpf('MAP_FREEZE', new Attributes(4).u32(0, this.fd), `map ${this.definition.name}`);
  }

  /** The kernel copies by the map's own sizes, whatever the buffer's: a wrong length would be memory corruption. */
  #checkValue(value: Uint8Array): void {
    const { name, type, valueSize } = this.definition;
    const isPerCpu = PER_CPU_TYPES.includes(type);
    const expected = isPerCpu ? Math.ceil(valueSize / 8) * 8 * possibleCpuCount() : valueSize;
    if (value.byteLength === expected) return;
    throw new VespidError(
      'INTERNAL',
      `map ${name}: expected a value of ${expected} bytes, got ${value.byteLength}`,
    );
  }

  #element(key: Uint8Array): Attributes {
    if (key.byteLength !== this.definition.keySize) {
      throw new VespidError(
        'INTERNAL',
        `map ${this.definition.name}: expected a key of ${this.definition.keySize} bytes, got ${key.byteLength}`,
      );
    }
    return new Attributes(32).u32(0, this.fd).pointer(8, key);
  }
}

/** A little-endian u32, the key of array maps. */
export function u32Key(value: number): Uint8Array {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, value, true);
  return key;
}

import type { SystemCallResult } from '../system/libc.js';
import { MAP_BATCH, MAP_CREATE, MAP_ELEMENT } from './attribute-layout.js';
import { Attributes } from './attributes.js';
import { bpf, tryBpf } from './bpf-command.js';

/** What BPF_MAP_CREATE takes, under the names of `union bpf_attr`; what is left out is 0. */
export interface MapCreateAttributes {
  readonly mapType: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly mapFlags: number;
  readonly mapName: string;
  readonly innerMapFd?: number | undefined;
  readonly numaNode?: number | undefined;
  readonly interfaceIndex?: number | undefined;
  readonly btf?:
    | { readonly fd: number; readonly keyTypeId: number; readonly valueTypeId: number }
    | undefined;
  /** Id of the struct in kernel BTF that is the value, for struct_ops. */
  readonly vmlinuxValueTypeId?: number | undefined;
  readonly mapExtra?: bigint | undefined;
  /** The module's BTF that {@link vmlinuxValueTypeId} is in. */
  readonly valueTypeBtfObjectFd?: number | undefined;
  /** With BPF_F_TOKEN_FD in the flags. */
  readonly tokenFd?: number | undefined;
}

/** BPF_MAP_CREATE; the value is the new descriptor. */
export function createMap(create: MapCreateAttributes): SystemCallResult {
  const attributes = new Attributes(80)
    .u32(MAP_CREATE.map_type, create.mapType)
    .u32(MAP_CREATE.key_size, create.keySize)
    .u32(MAP_CREATE.value_size, create.valueSize)
    .u32(MAP_CREATE.max_entries, create.maxEntries)
    .u32(MAP_CREATE.map_flags, create.mapFlags)
    .u32(MAP_CREATE.inner_map_fd, create.innerMapFd ?? 0)
    .u32(MAP_CREATE.numa_node, create.numaNode ?? 0)
    .objectName(MAP_CREATE.map_name, create.mapName)
    .u32(MAP_CREATE.map_ifindex, create.interfaceIndex ?? 0)
    .u32(MAP_CREATE.btf_vmlinux_value_type_id, create.vmlinuxValueTypeId ?? 0)
    .u64(MAP_CREATE.map_extra, create.mapExtra ?? 0n)
    .i32(MAP_CREATE.value_type_btf_obj_fd, create.valueTypeBtfObjectFd ?? 0)
    .i32(MAP_CREATE.map_token_fd, create.tokenFd ?? 0);
  if (create.btf !== undefined) {
    attributes
      .u32(MAP_CREATE.btf_fd, create.btf.fd)
      .u32(MAP_CREATE.btf_key_type_id, create.btf.keyTypeId)
      .u32(MAP_CREATE.btf_value_type_id, create.btf.valueTypeId);
  }
  return tryBpf('MAP_CREATE', attributes);
}

/** Commands on one element. The buffers must have the map's own sizes: the kernel goes by those alone. */
export type ElementCommand =
  | 'MAP_LOOKUP_ELEM'
  | 'MAP_UPDATE_ELEM'
  | 'MAP_DELETE_ELEM'
  | 'MAP_LOOKUP_AND_DELETE_ELEM';

/** BPF_MAP_{LOOKUP,UPDATE,DELETE,LOOKUP_AND_DELETE}_ELEM. A lookup fills `value`; an empty key is none. */
export function mapElement(
  command: ElementCommand,
  mapFd: number,
  key: Uint8Array,
  value: Uint8Array,
  flags: bigint,
): SystemCallResult {
  const attributes = new Attributes(32)
    .u32(MAP_ELEMENT.map_fd, mapFd)
    .pointer(MAP_ELEMENT.key, key)
    .pointer(MAP_ELEMENT.value, value)
    .u64(MAP_ELEMENT.flags, flags);
  return tryBpf(command, attributes);
}

/** BPF_MAP_GET_NEXT_KEY: fills `next` with the key behind `key`, the first when there is none or it is gone. */
export function nextMapKey(mapFd: number, key: Uint8Array | undefined, next: Uint8Array): SystemCallResult {
  const attributes = new Attributes(24).u32(MAP_ELEMENT.map_fd, mapFd).pointer(MAP_ELEMENT.next_key, next);
  if (key !== undefined) attributes.pointer(MAP_ELEMENT.key, key);
  return tryBpf('MAP_GET_NEXT_KEY', attributes);
}

/** BPF_MAP_FREEZE */
export function freezeMap(mapFd: number, subject: string): void {
  bpf('MAP_FREEZE', new Attributes(4).u32(MAP_ELEMENT.map_fd, mapFd), subject);
}

export type BatchCommand =
  | 'MAP_LOOKUP_BATCH'
  | 'MAP_LOOKUP_AND_DELETE_BATCH'
  | 'MAP_UPDATE_BATCH'
  | 'MAP_DELETE_BATCH';

export interface BatchAttributes {
  readonly mapFd: number;
  /** Where to go on: what the call before wrote to its `outBatch`; none at the start. Lookups only. */
  readonly inBatch?: Uint8Array | undefined;
  readonly outBatch?: Uint8Array | undefined;
  readonly keys: Uint8Array;
  readonly values?: Uint8Array | undefined;
  /** Elements in, or elements that there is room for. */
  readonly count: number;
  readonly elementFlags?: bigint | undefined;
}

/** BPF_MAP_*_BATCH; `count` comes back with errors as well: how many elements were done before it. */
export function mapBatch(
  command: BatchCommand,
  batch: BatchAttributes,
): { readonly result: SystemCallResult; readonly count: number } {
  const attributes = new Attributes(56)
    .pointer(MAP_BATCH.keys, batch.keys)
    .u32(MAP_BATCH.count, batch.count)
    .u32(MAP_BATCH.map_fd, batch.mapFd)
    .u64(MAP_BATCH.elem_flags, batch.elementFlags ?? 0n);
  if (batch.inBatch !== undefined) attributes.pointer(MAP_BATCH.in_batch, batch.inBatch);
  if (batch.outBatch !== undefined) attributes.pointer(MAP_BATCH.out_batch, batch.outBatch);
  if (batch.values !== undefined) attributes.pointer(MAP_BATCH.values, batch.values);
  const result = tryBpf(command, attributes);
  return { result, count: attributes.readU32(MAP_BATCH.count) };
}

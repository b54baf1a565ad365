import {
  essentialName,
  MAP_TYPE,
  type ObjectFile,
  type ObjectFunction,
  type StructOpsMap,
} from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { BpfMap, type KernelTypes, MAP_FLAG, type MapCreate, type OwnedFd } from '../../kernel/index.js';
import { kernelTarget, type ResolvedTarget } from '../programs/attach-target.js';
import {
  kernelStructOps,
  layOutStructOps,
  STRUCT_OPS_VALUE_PREFIX,
  type StructOpsLayout,
} from './struct-ops-layout.js';

/** A struct_ops variable for the struct that the running kernel has. */
export interface PlannedStructOps {
  readonly declared: StructOpsMap;
  readonly layout: StructOpsLayout;
  readonly valueTypeId: number;
  /** Descriptor of the BTF of the module that has the struct; undefined for the kernel itself. */
  readonly moduleBtfFd: number | undefined;
  readonly target: ResolvedTarget;
}

/** What a struct_ops program is loaded for. */
export interface StructOpsRole {
  readonly target: ResolvedTarget;
  readonly memberIndex: number;
}

/**
 * Finds the kernel's struct for an object's variable and lays the variable out for it.
 *
 * @throws VespidError STRUCT_OPS_MISMATCH when the kernel has no such struct, or it is made otherwise
 */
export function planStructOps(
  object: ObjectFile,
  declared: StructOpsMap,
  types: KernelTypes,
): PlannedStructOps {
  const name = essentialName(declared.typeName);
  const value = types.find('struct', `${STRUCT_OPS_VALUE_PREFIX}${name}`);
  const [typeId] = value?.btf.idsByName(name, 'struct') ?? [];
  if (value === undefined || typeId === undefined || object.btf === undefined) {
    throw new VespidError(
      'STRUCT_OPS_MISMATCH',
      `struct_ops ${declared.name}: the kernel takes no struct ${name}`,
      {
        details: { map: declared.name, type: name },
        hint: 'it may be of a module that is not loaded, or of a newer kernel',
      },
    );
  }
  const kernel = kernelStructOps(value.btf, typeId, value.typeId);
  return {
    declared,
    layout: layOutStructOps(declared, object.btf, kernel),
    valueTypeId: value.typeId,
    moduleBtfFd: value.moduleBtfFd,
    target: kernelTarget({ ...value, typeId }),
  };
}

/**
 * What each program of these variables is loaded for.
 *
 * @throws VespidError STRUCT_OPS_MISMATCH when two of them use one program for different members
 */
export function structOpsRoles(
  planned: readonly PlannedStructOps[],
): ReadonlyMap<ObjectFunction, StructOpsRole> {
  const roles = new Map<ObjectFunction, StructOpsRole>();
  for (const { declared, layout, target } of planned) {
    for (const { program, memberIndex } of layout.functions) {
      const known = roles.get(program);
      if (known === undefined) roles.set(program, { target, memberIndex });
      else if (known.memberIndex !== memberIndex || known.target.attachBtfId !== target.attachBtfId) {
        throw new VespidError(
          'STRUCT_OPS_MISMATCH',
          `struct_ops ${declared.name}: program ${program.name} is already that of another member`,
        );
      }
    }
  }
  return roles;
}

/**
 * Creates the map of a struct_ops variable. A kernel before 6.4 has no links for them and registers by the map's
 * element instead.
 *
 * @param btf the object's types in the kernel
 * @param btf the object's types in the kernel
 * @throws VespidError KERNEL_*
 */
export function createStructOpsMap(
  { declared, layout, valueTypeId, moduleBtfFd }: PlannedStructOps,
  btf: OwnedFd | undefined,
): BpfMap {
  const create: MapCreate = {
    name: declared.name,
    type: MAP_TYPE.structOps,
    keySize: 4,
    valueSize: layout.bytes.byteLength,
    maxEntries: 1,
    flags: 0,
    structOpsTypeId: valueTypeId,
    // The kernel wants the object's BTF beside its own type, and no type of it.
    btf: btf === undefined ? undefined : { fd: btf.fd, keyTypeId: 0, valueTypeId: 0 },
    valueTypeBtfObjFd: moduleBtfFd,
  };
  if (!declared.isLink) return BpfMap.create(create);
  try {
    return BpfMap.create({ ...create, flags: create.flags | MAP_FLAG.link });
  } catch (error) {
    const isRefused = error instanceof VespidError && error.details?.['errnoName'] === 'EINVAL';
    if (!isRefused) throw error;
    return BpfMap.create(create);
  }
}

/** Whether the kernel registers by a link, and not by the map's element. */
export function usesLink(map: BpfMap): boolean {
  return (map.definition.flags & MAP_FLAG.link) !== 0;
}

/** The map's value with the descriptors of the loaded programs in it (`bpf_struct_ops_map_update_elem`). */
export function structOpsValue(
  { layout }: PlannedStructOps,
  fdOf: (program: ObjectFunction) => number | undefined,
): Uint8Array {
  const bytes = layout.bytes.slice();
  const view = new DataView(bytes.buffer);
  for (const { program, byteOffset } of layout.functions) {
    view.setBigUint64(byteOffset, BigInt(fdOf(program) ?? 0), true);
  }
  return bytes;
}

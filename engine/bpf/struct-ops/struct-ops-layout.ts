import {
  type Btf,
  type BtfComposite,
  type BtfMember,
  byteSizeOf,
  type ObjectFunction,
  type StructOpsMap,
  skipModifiers,
} from '../../bytecode/index.js';

import { VespidError } from '../../errors/index.js';

/** The struct of functions that the kernel calls, as its own types describe it. */
export interface KernelStructOps {
  readonly btf: Btf;
  /** `struct tcp_congestion_ops`: what programs of it are loaded for. */
  readonly typeId: number;
  /** `struct bpf_struct_ops_tcp_congestion_ops`: what the map holds. */
  readonly valueTypeId: number;
  readonly valueByteSize: number;
  /** Where the struct is in that value. */
  readonly dataByteOffset: number;
}

/** A struct_ops map's only value, without the programs' file descriptors, which are not known yet. */
export interface StructOpsLayout {
  readonly bytes: Uint8Array;
  readonly functions: readonly StructOpsSlot[];
}

export interface StructOpsSlot {
  readonly program: ObjectFunction;
  /** Where the program's file descriptor goes, a u64. */
  readonly byteOffset: number;
  /** BPF_PROG_LOAD's expected_attach_type. */
  readonly memberIndex: number;
}

/** The kernel's name for the value type is this and the struct's name (include/linux/bpf.h). */
export const STRUCT_OPS_VALUE_PREFIX = 'bpf_struct_ops_';

/**
 * Finds where the struct lies in the value type.
 *
 * @throws VespidError STRUCT_OPS_MISMATCH
 */
export function kernelStructOps(btf: Btf, typeId: number, valueTypeId: number): KernelStructOps {
  const valueType = structOf(btf, valueTypeId);
  const member = valueType.members.find((candidate) => skipModifiers(btf, candidate.typeId) === typeId);
  if (member === undefined) {
    throw new VespidError(
      'STRUCT_OPS_MISMATCH',
      `the kernel's ${valueType.name} holds no ${btf.nameOf(typeId)}`,
    );
  }
  return {
    btf,
    typeId,
    valueTypeId,
    valueByteSize: valueType.byteSize,
    dataByteOffset: member.bitOffset / 8,
  };
}

/**
 * Lays the object's struct out as the kernel has it: members go by their names, so that either side may have ones
 * that the other lacks, as long as what the kernel lacks is zero.
 *
 * @throws VespidError STRUCT_OPS_MISMATCH naming the member
 */
export function layOutStructOps(map: StructOpsMap, objectBtf: Btf, kernel: KernelStructOps): StructOpsLayout {
  const bytes = new Uint8Array(kernel.valueByteSize);
  const functions: StructOpsSlot[] = [];
  const kernelType = structOf(kernel.btf, kernel.typeId);
  const kernelIndexes = new Map(kernelType.members.map(({ name }, index) => [name, index]));
  for (const member of structOf(objectBtf, map.typeId).members) {
    const from = member.bitOffset / 8;
    const held = map.bytes.subarray(from, from + byteSizeOf(objectBtf, member.typeId));
    const program = map.functions.find(({ byteOffset }) => byteOffset === from)?.program;
    const memberIndex = kernelIndexes.get(member.name);
    const kernelMember = kernelType.members[memberIndex ?? -1];
    if (memberIndex === undefined || kernelMember === undefined) {
      if (program === undefined && held.every((byte) => byte === 0)) continue;
      throw mismatch(map, member, 'the kernel has no such member, and the object sets it');
    }
    checkMember(map, member, objectBtf, kernelMember, kernel.btf);
    const to = kernel.dataByteOffset + kernelMember.bitOffset / 8;
    if (program !== undefined) functions.push({ program, byteOffset: to, memberIndex });
    else if (kindOf(objectBtf, member) !== 'pointer') bytes.set(held, to);
  }
  return { bytes, functions };
}

function checkMember(
  map: StructOpsMap,
  member: BtfMember,
  objectBtf: Btf,
  kernelMember: BtfMember,
  kernelBtf: Btf,
): void {
  if (member.bitFieldSize !== 0 || kernelMember.bitFieldSize !== 0) {
    throw mismatch(map, member, 'bit fields are not supported there');
  }
  const kind = kindOf(objectBtf, member);
  const kernelKind = kindOf(kernelBtf, kernelMember);
  if (kind !== kernelKind)
    throw mismatch(map, member, `it is a ${kind}, and the kernel's is a ${kernelKind}`);
  const byteSize = byteSizeOf(objectBtf, member.typeId);
  const kernelByteSize = byteSizeOf(kernelBtf, kernelMember.typeId);
  if (byteSize === kernelByteSize) return;
  throw mismatch(map, member, `it has ${byteSize} bytes, and the kernel's has ${kernelByteSize}`);
}

function kindOf(btf: Btf, { typeId }: BtfMember): string {
  return btf.kindOf(skipModifiers(btf, typeId));
}

function structOf(btf: Btf, typeId: number): BtfComposite {
  const type = btf.type(skipModifiers(btf, typeId));
  if (type.kind === 'struct') return type;
  throw new VespidError(
    'STRUCT_OPS_MISMATCH',
    `${btf.label}: type ${typeId} is a ${type.kind}, struct expected`,
  );
}

function mismatch(map: StructOpsMap, member: BtfMember, what: string): VespidError {
  return new VespidError(
    'STRUCT_OPS_MISMATCH',
    `struct_ops ${map.name}: ${map.typeName}.${member.name}: ${what}`,
    {
      details: { map: map.name, type: map.typeName, member: member.name },
      hint: 'build the object for the struct that this kernel has, or leave the member out',
    },
  );
}

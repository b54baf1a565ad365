import { byteSizeOf, skipModifiers } from '../btf/btf-layout.js';
import type { Btf } from '../btf/btf-reader.js';
import type { BtfArray } from '../btf/btf-type.js';
import type { CoreRelocation } from './core-relocation.js';
import { coreError } from './relocation-error.js';
import { subjectOf } from './relocation-kind.js';

/** One step of an access, anonymous members left out: a named member, an enum value, or an array index. */
export interface AccessStep {
  /** For a member or value the type that has it, for an array index the element's type. */
  readonly typeId: number;
  readonly index: number;
  /** Undefined for an array index. */
  readonly name: string | undefined;
}

/** A way into a type of one BTF. */
export interface Access {
  readonly btf: Btf;
  readonly rootTypeId: number;
  readonly steps: readonly AccessStep[];
  readonly bitOffset: number;
}

/** libbpf's BPF_CORE_SPEC_MAX_LEN: no C expression nests deeper. */
export const MAX_ACCESS_STEPS = 64;

/**
 * The access that a relocation means in the object's own types.
 * @throws VespidError CORE_MALFORMED if the indexes lead out of the types
 */
export function parseAccess(relocation: CoreRelocation, btf: Btf): Access {
  const indexes = parseIndexes(relocation, btf);
  const rootTypeId = relocation.typeId;
  switch (subjectOf(relocation.kind)) {
    case 'type':
      if (relocation.access !== '0') throw malformed(relocation, btf, 'the access to a type must be 0');
      return { btf, rootTypeId, steps: [], bitOffset: 0 };
    case 'enum-value':
      return enumAccess(relocation, btf, indexes);
    case 'field':
      return fieldAccess(relocation, btf, indexes);
  }
}

function parseIndexes(relocation: CoreRelocation, btf: Btf): number[] {
  const parts = relocation.access.split(':');
  if (parts.length > MAX_ACCESS_STEPS) throw malformed(relocation, btf, `over ${MAX_ACCESS_STEPS} steps`);
  return parts.map((part) => {
    if (!/^\d{1,10}$/.test(part)) throw malformed(relocation, btf, 'indexes separated by colons expected');
    return Number(part);
  });
}

function enumAccess(relocation: CoreRelocation, btf: Btf, indexes: readonly number[]): Access {
  const typeId = skipModifiers(btf, relocation.typeId);
  const type = btf.type(typeId);
  const index = indexes[0] ?? 0;
  const value = type.kind === 'enum' || type.kind === 'enum64' ? type.values[index] : undefined;
  if (indexes.length !== 1 || value === undefined) throw malformed(relocation, btf, 'no such enum value');
  const steps = [{ typeId, index, name: value.name }];
  return { btf, rootTypeId: relocation.typeId, steps, bitOffset: 0 };
}

function fieldAccess(relocation: CoreRelocation, btf: Btf, indexes: readonly number[]): Access {
  let typeId = skipModifiers(btf, relocation.typeId);
  const rootIndex = indexes[0] ?? 0;
  const steps: AccessStep[] = [{ typeId, index: rootIndex, name: undefined }];
  let bitOffset = rootIndex * byteSizeOf(btf, typeId) * 8;
  for (const index of indexes.slice(1)) {
    typeId = skipModifiers(btf, typeId);
    const type = btf.type(typeId);
    if (type.kind === 'struct' || type.kind === 'union') {
      const member = type.members[index];
      if (member === undefined) throw malformed(relocation, btf, `${type.name} has no member ${index}`);
      bitOffset += member.bitOffset;
      if (member.name !== '') steps.push({ typeId, index, name: member.name });
      typeId = member.typeId;
    } else if (type.kind === 'array') {
      const before = steps.at(-1);
      if (index >= type.count && !isFlexibleArray(btf, before, type)) {
        throw malformed(relocation, btf, `element ${index} of an array of ${type.count}`);
      }
      typeId = skipModifiers(btf, type.elementTypeId);
      steps.push({ typeId, index, name: undefined });
      bitOffset += index * byteSizeOf(btf, typeId) * 8;
    } else {
      throw malformed(relocation, btf, `index ${index} into a type of kind ${type.kind}`);
    }
  }
  return { btf, rootTypeId: relocation.typeId, steps, bitOffset };
}

/** `char data[]`: an array of no elements that is the last member of its struct has as many as one likes. */
export function isFlexibleArray(btf: Btf, reachedBy: AccessStep | undefined, array: BtfArray): boolean {
  if (reachedBy?.name === undefined || array.count > 0) return false;
  const parent = btf.type(reachedBy.typeId);
  return 'members' in parent && reachedBy.index === parent.members.length - 1;
}

function malformed(relocation: CoreRelocation, btf: Btf, message: string) {
  return coreError('CORE_MALFORMED', btf, relocation, message);
}

import { byteSizeOf, skipModifiers, underlyingType } from '../btf/btf-layout.js';
import type { Btf } from '../btf/btf-reader.js';
import type { BtfMember } from '../btf/btf-type.js';
import { essentialName } from '../btf/essential-name.js';
import { type Access, type AccessStep, isFlexibleArray, MAX_ACCESS_STEPS } from './access.js';
import type { Candidate } from './candidates.js';
import { compatibleFields } from './compatible-fields.js';
import { compatibleTypes } from './compatible-types.js';
import { matchingTypes } from './matching-types.js';
import { type CoreKind, subjectOf } from './relocation-kind.js';

/** A struct of the kernel has a few hundred members; anonymous structs that multiply are an attack. */
const MAX_VISITED_MEMBERS = 100_000;

/**
 * The access into a type of the kernel that a local access means, undefined if the type does not fit.
 * @throws VespidError BTF_MALFORMED
 */
export function matchCandidate(kind: CoreKind, local: Access, candidate: Candidate): Access | undefined {
  const { btf, typeId } = candidate;
  switch (subjectOf(kind)) {
    case 'type': {
      const fits = kind === 'type-matches' ? matchingTypes : compatibleTypes;
      return fits(local.btf, local.rootTypeId, btf, typeId)
        ? { btf, rootTypeId: typeId, steps: [], bitOffset: 0 }
        : undefined;
    }
    case 'enum-value':
      return matchEnumValue(local, btf, typeId);
    case 'field':
      return matchField(local, btf, typeId);
  }
}

function matchEnumValue(local: Access, target: Btf, rootTypeId: number): Access | undefined {
  const typeId = skipModifiers(target, rootTypeId);
  const type = target.type(typeId);
  if (type.kind !== 'enum' && type.kind !== 'enum64') return undefined;
  const wanted = essentialName(local.steps[0]?.name ?? '');
  const index = type.values.findIndex((value) => essentialName(value.name) === wanted);
  const value = type.values[index];
  if (value === undefined) return undefined;
  return { btf: target, rootTypeId, steps: [{ typeId, index, name: value.name }], bitOffset: 0 };
}

/** Walks the local steps through the candidate: members by name, array elements by index. */
function matchField(local: Access, target: Btf, rootTypeId: number): Access | undefined {
  const steps: AccessStep[] = [];
  let bitOffset = 0;
  let typeId = rootTypeId;
  let position = -1;
  for (const localStep of local.steps) {
    position++;
    typeId = skipModifiers(target, typeId);
    if (localStep.name !== undefined) {
      const localParent = local.btf.type(localStep.typeId);
      const wanted = 'members' in localParent ? localParent.members[localStep.index] : undefined;
      if (wanted === undefined) return undefined;
      const search = { local: local.btf, wanted, visitsLeft: MAX_VISITED_MEMBERS };
      const found = findMember(target, typeId, search, 0);
      if (found === undefined) return undefined;
      steps.push(found.step);
      bitOffset += found.bitOffset;
      typeId = found.memberTypeId;
      continue;
    }
    // The first index is on the root itself, which is not an array in its own right.
    if (position > 0) {
      const type = underlyingType(target, typeId);
      if (type.kind !== 'array') return undefined;
      if (localStep.index >= type.count && !isFlexibleArray(target, steps.at(-1), type)) return undefined;
      typeId = skipModifiers(target, type.elementTypeId);
    }
    steps.push({ typeId, index: localStep.index, name: undefined });
    // Also for the index 0: a candidate without a size, a typedef of a function, is an error as in libbpf.
    bitOffset += localStep.index * byteSizeOf(target, typeId) * 8;
  }
  return { btf: target, rootTypeId, steps, bitOffset };
}

interface FoundMember {
  readonly step: AccessStep;
  readonly memberTypeId: number;
  /** From the start of the type searched, through anonymous members. */
  readonly bitOffset: number;
}

interface MemberSearch {
  readonly local: Btf;
  /** The member as the object knows it. */
  readonly wanted: BtfMember;
  visitsLeft: number;
}

/**
 * The first member of that name, if its type is compatible. Anonymous structs and unions are searched in place
 * (C11 6.7.2.1p13).
 */
function findMember(
  btf: Btf,
  compositeTypeId: number,
  search: MemberSearch,
  depth: number,
): FoundMember | undefined {
  const typeId = skipModifiers(btf, compositeTypeId);
  const type = btf.type(typeId);
  if (!('members' in type) || depth >= MAX_ACCESS_STEPS) return undefined;
  let index = -1;
  for (const member of type.members) {
    index++;
    if (search.visitsLeft-- <= 0) return undefined;
    if (member.name === search.wanted.name) {
      if (!compatibleFields(search.local, search.wanted.typeId, btf, member.typeId)) return undefined;
      const step = { typeId, index, name: member.name };
      return { step, memberTypeId: member.typeId, bitOffset: member.bitOffset };
    }
    if (member.name !== '') continue;
    const inner = findMember(btf, member.typeId, search, depth + 1);
    if (inner !== undefined) return { ...inner, bitOffset: member.bitOffset + inner.bitOffset };
  }
  return undefined;
}

import { suggestName, VespidError } from '../../errors/index.js';
import { byteSizeOf, underlyingType } from '../btf/btf-layout.js';
import type { Btf } from '../btf/btf-reader.js';
import type { BtfComposite, BtfMember } from '../btf/btf-type.js';
import type { DataVariable } from './data-sections.js';

/** A variable or a part of one, in a section of data. */
export interface VariablePlace {
  /** `config.limits[2]` */
  readonly path: string;
  readonly typeId: number;
  /** In its section. */
  readonly byteOffset: number;
  /** Of a bit field: where it begins, from `byteOffset`, counted as the compiler does; undefined for others. */
  readonly bits: { readonly bitOffset: number; readonly bitSize: number } | undefined;
}

/** `.member` or `[3]` */
const STEP = /^(?:\.([A-Za-z_]\w*)|\[(\d{1,9})\])/;

/** Structs without a name that are looked through for one member: C programs have a handful. */
const MAX_ANONYMOUS_STRUCTS = 256;

/** How many names a hint lists. */
const MAX_SUGGESTED = 20;

/**
 * The part of a variable that a path leads to.
 * @param steps what follows the variable's name: `.limits[2]`
 * @throws VespidError OBJECT_VARIABLE_UNKNOWN for a member or element that is not there
 */
export function variablePart(btf: Btf, variable: DataVariable, steps: string): VariablePlace {
  const type = btf.type(variable.typeId);
  let place: VariablePlace = {
    path: variable.name,
    typeId: type.kind === 'variable' ? type.typeId : variable.typeId,
    byteOffset: variable.byteOffset,
    bits: undefined,
  };
  let rest = steps;
  while (rest !== '') {
    const match = STEP.exec(rest);
    if (match === null)
      throw unknown(`${place.path}${rest}: expected .member or [index] after ${place.path}`);
    const [step, member, index] = match;
    place = member === undefined ? elementOf(btf, place, Number(index)) : memberOf(btf, place, member);
    rest = rest.slice(step.length);
  }
  return place;
}

function elementOf(btf: Btf, place: VariablePlace, index: number): VariablePlace {
  const type = underlyingType(btf, place.typeId);
  if (type.kind !== 'array') throw unknown(`${place.path} is of kind ${type.kind}, it has no elements`);
  if (index >= type.count) throw unknown(`${place.path} has ${type.count} elements, there is no [${index}]`);
  return {
    path: `${place.path}[${index}]`,
    typeId: type.elementTypeId,
    byteOffset: place.byteOffset + index * byteSizeOf(btf, type.elementTypeId),
    bits: undefined,
  };
}

function memberOf(btf: Btf, place: VariablePlace, name: string): VariablePlace {
  const type = underlyingType(btf, place.typeId);
  if (type.kind !== 'struct' && type.kind !== 'union') {
    throw unknown(`${place.path} is of kind ${type.kind}, it has no members`);
  }
  const search: MemberSearch = { name, others: [], anonymousCount: 0 };
  const found = findMember(btf, type, search);
  if (found === undefined) {
    throw unknown(
      `${place.path} has no member ${name}`,
      suggestName(name, search.others.slice(0, MAX_SUGGESTED)),
    );
  }
  const { member, bitOffset } = found;
  const byteOffset = place.byteOffset + Math.floor(bitOffset / 8);
  const bits =
    member.bitFieldSize === 0 ? undefined : { bitOffset: bitOffset % 8, bitSize: member.bitFieldSize };
  return { path: `${place.path}.${name}`, typeId: member.typeId, byteOffset, bits };
}

interface MemberSearch {
  readonly name: string;
  /** Names that were passed. */
  readonly others: string[];
  anonymousCount: number;
}

/** Also looks into members without a name, as C does. */
function findMember(
  btf: Btf,
  type: BtfComposite,
  search: MemberSearch,
): { readonly member: BtfMember; readonly bitOffset: number } | undefined {
  for (const member of type.members) {
    if (member.name === search.name) return { member, bitOffset: member.bitOffset };
    if (member.name !== '') {
      search.others.push(member.name);
      continue;
    }
    const inner = underlyingType(btf, member.typeId);
    if (inner.kind !== 'struct' && inner.kind !== 'union') continue;
    search.anonymousCount++;
    if (search.anonymousCount > MAX_ANONYMOUS_STRUCTS) {
      throw unknown(`no member ${search.name} within ${MAX_ANONYMOUS_STRUCTS} structs without a name`);
    }
    const found = findMember(btf, inner, search);
    if (found !== undefined) return { ...found, bitOffset: member.bitOffset + found.bitOffset };
  }
  return undefined;
}

function unknown(message: string, hint?: string): VespidError {
  return new VespidError('OBJECT_VARIABLE_UNKNOWN', message, hint === undefined ? {} : { hint });
}

import { INT_ENCODING } from '../btf/btf-format.js';
import { skipModifiers } from '../btf/btf-layout.js';
import type { Btf } from '../btf/btf-reader.js';
import type { BtfComposite, BtfEnum, BtfFunctionPrototype, BtfInt, BtfType } from '../btf/btf-type.js';
import { essentialName } from '../btf/essential-name.js';
import { ComparisonBudget } from './comparison-budget.js';

/**
 * Whether a type of the kernel matches one of the object, for `bpf_core_type_matches`. Modifiers and typedefs do
 * not count. Names must be the same but for flavours; everything that the object's type has must be there in the
 * kernel's, which may have more:
 * - integers match by size and sign, enums by size and the names of their values, arrays by count and elements;
 * - members of structs and unions match by name and type, in any order;
 * - behind a pointer, structs and unions match by name and kind alone, a declaration of either by its definition;
 * - functions match by the types of all parameters, in order, and of the result.
 * @throws VespidError CORE_MALFORMED if the types nest too deep, BTF_MALFORMED
 */
export function matchingTypes(local: Btf, localTypeId: number, target: Btf, targetTypeId: number): boolean {
  const comparison = { local, target, budget: new ComparisonBudget(local, localTypeId) };
  return matches(comparison, localTypeId, targetTypeId, { isBehindPointer: false, depth: 0 });
}

interface Comparison {
  readonly local: Btf;
  readonly target: Btf;
  readonly budget: ComparisonBudget;
}

interface Place {
  readonly isBehindPointer: boolean;
  readonly depth: number;
}

function matches(comparison: Comparison, localTypeId: number, targetTypeId: number, place: Place): boolean {
  const { local, target, budget } = comparison;
  budget.spend(place.depth);
  const localId = skipModifiers(local, localTypeId);
  const targetId = skipModifiers(target, targetTypeId);
  if (essentialName(local.nameOf(localId)) !== essentialName(target.nameOf(targetId))) return false;
  const a = local.type(localId);
  const b = target.type(targetId);
  const inside = { ...place, depth: place.depth + 1 };
  switch (a.kind) {
    case 'void':
      return b.kind === 'void';
    case 'forward':
    case 'struct':
    case 'union':
      if (place.isBehindPointer) return matchingBehindPointer(a, b);
      if (a.kind === 'forward') return b.kind === 'forward' && a.isUnion === b.isUnion;
      return a.kind === b.kind && matchingMembers(comparison, a, b, inside);
    case 'enum':
    case 'enum64':
      return (b.kind === 'enum' || b.kind === 'enum64') && matchingValues(a, b);
    case 'int':
      return b.kind === 'int' && a.byteSize === b.byteSize && isSigned(a) === isSigned(b);
    case 'pointer':
      return (
        b.kind === 'pointer' && matches(comparison, a.typeId, b.typeId, { ...inside, isBehindPointer: true })
      );
    case 'array':
      return (
        b.kind === 'array' &&
        a.count === b.count &&
        matches(comparison, a.elementTypeId, b.elementTypeId, inside)
      );
    case 'function-prototype':
      return b.kind === 'function-prototype' && matchingPrototypes(comparison, a, b, inside);
    default:
      return false;
  }
}

/** The members of a struct do not matter to who only has its address, nor whether they are known at all. */
function matchingBehindPointer(a: BtfType, b: BtfType): boolean {
  const keyword = keywordOf(a);
  return keyword !== undefined && keyword === keywordOf(b);
}

function keywordOf(type: BtfType): 'struct' | 'union' | undefined {
  if (type.kind === 'forward') return type.isUnion ? 'union' : 'struct';
  return type.kind === 'struct' || type.kind === 'union' ? type.kind : undefined;
}

function isSigned(type: BtfInt): boolean {
  return (type.encoding & INT_ENCODING.signed) !== 0;
}

/** Enumerators are the same by name; what they stand for is the kernel's choice. */
function matchingValues(a: BtfEnum, b: BtfEnum): boolean {
  if (a.byteSize !== b.byteSize || a.values.length > b.values.length) return false;
  const names = new Set(b.values.map((value) => essentialName(value.name)));
  return a.values.every((value) => names.has(essentialName(value.name)));
}

function matchingMembers(comparison: Comparison, a: BtfComposite, b: BtfComposite, place: Place): boolean {
  if (a.members.length > b.members.length) return false;
  // Several members of one name: the anonymous ones.
  const typeIdsByName = new Map<string, number[]>();
  for (const { name, typeId } of b.members) {
    const key = essentialName(name);
    const typeIds = typeIdsByName.get(key);
    if (typeIds === undefined) typeIdsByName.set(key, [typeId]);
    else typeIds.push(typeId);
  }
  return a.members.every(({ name, typeId }) =>
    typeIdsByName
      .get(essentialName(name))
      ?.some((targetTypeId) => matches(comparison, typeId, targetTypeId, place)),
  );
}

function matchingPrototypes(
  comparison: Comparison,
  a: BtfFunctionPrototype,
  b: BtfFunctionPrototype,
  place: Place,
): boolean {
  if (a.parameters.length !== b.parameters.length) return false;
  return (
    a.parameters.every((parameter, index) =>
      matches(comparison, parameter.typeId, b.parameters[index]?.typeId ?? 0, place),
    ) && matches(comparison, a.returnTypeId, b.returnTypeId, place)
  );
}

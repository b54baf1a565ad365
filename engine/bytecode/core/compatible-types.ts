import { skipModifiers } from '../btf/btf-layout.js';
import type { Btf } from '../btf/btf-reader.js';
import type { BtfFunctionPrototype } from '../btf/btf-type.js';
import { ComparisonBudget } from './comparison-budget.js';
import { compatibleKinds } from './compatible-kinds.js';

/**
 * Whether two types of one name are the same sort of thing, for the relocations about whole types. Unlike for
 * fields, pointers are followed and functions compared; names, sizes and members are not.
 * @throws VespidError CORE_MALFORMED if the types nest too deep, BTF_MALFORMED
 */
export function compatibleTypes(local: Btf, localTypeId: number, target: Btf, targetTypeId: number): boolean {
  if (!compatibleKinds(local.kindOf(localTypeId), target.kindOf(targetTypeId))) return false;
  const comparison = { local, target, budget: new ComparisonBudget(local, localTypeId) };
  return compatible(comparison, localTypeId, targetTypeId, 0);
}

interface Comparison {
  readonly local: Btf;
  readonly target: Btf;
  readonly budget: ComparisonBudget;
}

function compatible(
  comparison: Comparison,
  localTypeId: number,
  targetTypeId: number,
  depth: number,
): boolean {
  const { local, target, budget } = comparison;
  budget.spend(depth);
  const a = local.type(skipModifiers(local, localTypeId));
  const b = target.type(skipModifiers(target, targetTypeId));
  if (!compatibleKinds(a.kind, b.kind)) return false;
  switch (a.kind) {
    case 'void':
    case 'struct':
    case 'union':
    case 'enum':
    case 'enum64':
    case 'forward':
      return true;
    case 'int':
      // Integers that begin inside their bytes are the bit fields of old compilers.
      return b.kind === 'int' && a.bitOffset === 0 && b.bitOffset === 0;
    case 'pointer':
      return b.kind === 'pointer' && compatible(comparison, a.typeId, b.typeId, depth + 1);
    case 'array':
      return b.kind === 'array' && compatible(comparison, a.elementTypeId, b.elementTypeId, depth + 1);
    case 'function-prototype':
      return b.kind === 'function-prototype' && compatiblePrototypes(comparison, a, b, depth + 1);
    default:
      return false;
  }
}

function compatiblePrototypes(
  comparison: Comparison,
  a: BtfFunctionPrototype,
  b: BtfFunctionPrototype,
  depth: number,
): boolean {
  if (a.parameters.length !== b.parameters.length) return false;
  return (
    a.parameters.every((parameter, index) =>
      compatible(comparison, parameter.typeId, b.parameters[index]?.typeId ?? 0, depth),
    ) && compatible(comparison, a.returnTypeId, b.returnTypeId, depth)
  );
}

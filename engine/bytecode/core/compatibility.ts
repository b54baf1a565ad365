import { MAX_RESOLVE_DEPTH } from '../btf/btf-format.js';
import { skipModifiers } from '../btf/btf-layout.js';
import type { Btf } from '../btf/btf-reader.js';
import type { BtfKind, BtfType } from '../btf/btf-type.js';
import { essentialName } from '../btf/essential-name.js';

/** The same kind, where the two sizes of enum count as one. */
export function compatibleKinds(a: BtfKind, b: BtfKind): boolean {
  return a === b || (isEnum(a) && isEnum(b));
}

/**
 * Whether a field of the object's type may stand for the kernel's: structs for structs whatever they hold,
 * any integer for any, any pointer for any, enums of one name, arrays by their elements.
 */
export function compatibleFields(
  local: Btf,
  localTypeId: number,
  target: Btf,
  targetTypeId: number,
): boolean {
  let localId = localTypeId;
  let targetId = targetTypeId;
  for (let depth = 0; depth <= MAX_RESOLVE_DEPTH; depth++) {
    const localType = local.type(skipModifiers(local, localId));
    const targetType = target.type(skipModifiers(target, targetId));
    if (isComposite(localType.kind) && isComposite(targetType.kind)) return true;
    if (!compatibleKinds(localType.kind, targetType.kind)) return false;
    if (localType.kind !== 'array' || targetType.kind !== 'array') {
      return compatibleLeaves(localType, targetType);
    }
    localId = localType.elementTypeId;
    targetId = targetType.elementTypeId;
  }
  return false;
}

function compatibleLeaves(localType: BtfType, targetType: BtfType): boolean {
  if (localType.kind === 'pointer' || localType.kind === 'float') return true;
  // Integers that begin inside their bytes are the bit fields of old compilers: no offset can stand for them.
  if (localType.kind === 'int' && targetType.kind === 'int') {
    return localType.bitOffset === 0 && targetType.bitOffset === 0;
  }
  const isNamed = localType.kind === 'forward' || isEnum(localType.kind);
  if (!isNamed || !('name' in localType) || !('name' in targetType)) return false;
  const localName = essentialName(localType.name);
  const targetName = essentialName(targetType.name);
  return localName === '' || targetName === '' || localName === targetName;
}

/**
 * Whether two types of one name are the same sort of thing, for the relocations about whole types. Unlike for
 * fields, pointers are followed and functions compared.
 */
export function compatibleTypes(
  local: Btf,
  localTypeId: number,
  target: Btf,
  targetTypeId: number,
  depth = MAX_RESOLVE_DEPTH,
): boolean {
  if (depth === 0) return false;
  const localType = local.type(skipModifiers(local, localTypeId));
  const targetType = target.type(skipModifiers(target, targetTypeId));
  if (!compatibleKinds(localType.kind, targetType.kind)) return false;
  if (localType.kind === 'int' && targetType.kind === 'int') {
    return localType.bitOffset === 0 && targetType.bitOffset === 0;
  }
  if (localType.kind === 'pointer' && targetType.kind === 'pointer') {
    return compatibleTypes(local, localType.typeId, target, targetType.typeId, depth - 1);
  }
  if (localType.kind === 'array' && targetType.kind === 'array') {
    return compatibleTypes(local, localType.elementTypeId, target, targetType.elementTypeId, depth - 1);
  }
  if (localType.kind === 'function-prototype' && targetType.kind === 'function-prototype') {
    return (
      localType.parameters.length === targetType.parameters.length &&
      localType.parameters.every((parameter, index) =>
        compatibleTypes(
          local,
          parameter.typeId,
          target,
          targetType.parameters[index]?.typeId ?? 0,
          depth - 1,
        ),
      ) &&
      compatibleTypes(local, localType.returnTypeId, target, targetType.returnTypeId, depth - 1)
    );
  }
  return (
    isComposite(localType.kind) ||
    isEnum(localType.kind) ||
    localType.kind === 'forward' ||
    localType.kind === 'void'
  );
}

export function isComposite(kind: BtfKind): kind is 'struct' | 'union' {
  return kind === 'struct' || kind === 'union';
}

export function isEnum(kind: BtfKind): kind is 'enum' | 'enum64' {
  return kind === 'enum' || kind === 'enum64';
}

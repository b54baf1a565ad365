import { MAX_RESOLVE_DEPTH } from '../btf/btf-format.js';
import { skipModifiers } from '../btf/btf-layout.js';
import type { Btf } from '../btf/btf-reader.js';
import type { BtfType } from '../btf/btf-type.js';
import { essentialName } from '../btf/essential-name.js';
import { compatibleKinds, isComposite, isEnum } from './compatible-kinds.js';

/**
 * Whether a field of the object's type may stand for the kernel's: structs for structs whatever they hold,
 * any integer for any, any pointer for any, enums and forward declarations of one name, arrays by their elements.
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

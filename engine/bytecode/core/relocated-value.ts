import { VespidError } from '../../errors/index.js';
import { INT_ENCODING } from '../btf/btf-format.js';
import { byteSizeOf, skipModifiers } from '../btf/btf-layout.js';
import type { Btf } from '../btf/btf-reader.js';
import type { BtfMember, BtfType } from '../btf/btf-type.js';
import type { Access, AccessStep } from './access.js';
import { describeAccess } from './describe.js';
import { type CoreKind, subjectOf } from './relocation-kind.js';
import { type CoreResolution, plainValue } from './resolution.js';

/** What one relocation kind says about a field in one BTF. */
interface FieldFact {
  readonly value: number;
  /** Size and type of the field where it is loaded or stored, 0 where it cannot be as a whole. */
  readonly byteSize: number;
  readonly typeId: number;
  /** False where a compiler's choice may differ from ours: bit fields. */
  readonly isExact: boolean;
}

/**
 * The value of a relocation for one candidate of the kernel, or for none of them.
 * @throws VespidError CORE_MALFORMED for a kind that does not go with the access
 */
export function relocatedValue(kind: CoreKind, local: Access, target: Access | undefined): CoreResolution {
  switch (subjectOf(kind)) {
    case 'field':
      return fieldValue(kind, local, target);
    case 'type':
      return typeValue(kind, local, target);
    case 'enum-value':
      return enumValue(kind, local, target);
  }
}

function fieldValue(kind: CoreKind, local: Access, target: Access | undefined): CoreResolution {
  if (kind === 'field-exists') return plainValue(1n, target === undefined ? 0n : 1n, true);
  const localFact = fieldFact(kind, local);
  if (target === undefined) return poison(`the kernel has no field ${describeAccess(local)}`);
  const targetFact = fieldFact(kind, target);
  return {
    outcome: 'value',
    localValue: BigInt(localFact.value),
    targetValue: BigInt(targetFact.value),
    mustHoldLocalValue: localFact.isExact,
    localByteSize: localFact.byteSize,
    targetByteSize: targetFact.byteSize,
    canChangeSize: canChangeSize(local, localFact, target, targetFact),
  };
}

/** Zero extension keeps the value of pointers and unsigned integers; anything else would be misread. */
function canChangeSize(local: Access, localFact: FieldFact, target: Access, targetFact: FieldFact): boolean {
  if (localFact.byteSize === targetFact.byteSize) return true;
  const localType = local.btf.type(localFact.typeId);
  const targetType = target.btf.type(targetFact.typeId);
  if (localType.kind === 'pointer' && targetType.kind === 'pointer') return true;
  return isUnsignedInt(localType) && isUnsignedInt(targetType);
}

function isUnsignedInt(type: BtfType): boolean {
  return type.kind === 'int' && type.encoding !== INT_ENCODING.signed;
}

function fieldFact(kind: CoreKind, access: Access): FieldFact {
  const last = access.steps.at(-1);
  if (last === undefined) throw notForAccess(kind, access);
  if (last.name === undefined) return elementFact(kind, access, last);
  const parent = access.btf.type(last.typeId);
  const member = 'members' in parent ? parent.members[last.index] : undefined;
  if (member === undefined) throw notForAccess(kind, access);
  return memberFact(kind, access, member);
}

/** The access ends in `a[n]`. */
function elementFact(kind: CoreKind, access: Access, step: AccessStep): FieldFact {
  const byteSize = byteSizeOf(access.btf, step.typeId);
  switch (kind) {
    case 'field-byte-offset':
      return { value: Math.floor(access.bitOffset / 8), byteSize, typeId: step.typeId, isExact: true };
    case 'field-byte-size':
      return { value: byteSize, byteSize: 0, typeId: 0, isExact: true };
    default:
      throw notForAccess(kind, access);
  }
}

function memberFact(kind: CoreKind, access: Access, member: BtfMember): FieldFact {
  const { btf, bitOffset } = access;
  const typeId = skipModifiers(btf, member.typeId);
  const isBitField = member.bitFieldSize > 0;
  const { byteOffset, byteSize } = isBitField
    ? bitFieldWindow(access, member, byteSizeOf(btf, typeId))
    : { byteOffset: Math.floor(bitOffset / 8), byteSize: byteSizeOf(btf, typeId) };
  const bitSize = isBitField ? member.bitFieldSize : byteSize * 8;
  const plain = (value: number, isExact = !isBitField) => ({ value, byteSize: 0, typeId: 0, isExact });
  switch (kind) {
    case 'field-byte-offset':
      return isBitField ? plain(byteOffset) : { value: byteOffset, byteSize, typeId, isExact: true };
    case 'field-byte-size':
      return plain(byteSize);
    case 'field-signed':
      return plain(isSigned(btf.type(typeId)) ? 1 : 0, true);
    case 'field-left-shift':
      return plain(asShift(leftShift(btf, bitOffset - byteOffset * 8, bitSize, byteSize * 8)));
    case 'field-right-shift':
      return plain(asShift(64 - bitSize), true);
    default:
      throw notForAccess(kind, access);
  }
}

/**
 * How far left a field must be shifted, once loaded and extended to 64 bits, to have its highest bit in the
 * highest place. Bit offsets count from the lowest bit of a little-endian load and the highest of a big-endian.
 */
function leftShift(btf: Btf, bitOffset: number, bitSize: number, loadBits: number): number {
  return btf.byteOrder === 'little-endian' ? 64 - (bitOffset + bitSize) : 64 - loadBits + bitOffset;
}

/** A field of more than 64 bits gives what it gives in libbpf's 32 bits: a shift that the verifier refuses. */
function asShift(bits: number): number {
  return bits >>> 0;
}

/** The smallest aligned integer, from the declared type's size up, that holds all bits of a bit field. */
function bitFieldWindow(access: Access, member: BtfMember, declaredBytes: number) {
  const end = access.bitOffset + member.bitFieldSize;
  for (let byteSize = declaredBytes; byteSize > 0 && byteSize <= 8; byteSize *= 2) {
    const byteOffset = Math.floor(access.bitOffset / 8 / byteSize) * byteSize;
    if (end - byteOffset * 8 <= byteSize * 8) return { byteOffset, byteSize };
  }
  throw new VespidError(
    'CORE_UNSUPPORTED',
    `${access.btf.label}: no load of 8 bytes holds the bit field ${describeAccess(access)}`,
  );
}

function isSigned(type: BtfType): boolean {
  if (type.kind === 'enum' || type.kind === 'enum64') return type.isSigned;
  return type.kind === 'int' && (type.encoding & INT_ENCODING.signed) !== 0;
}

/** Unlike for fields, the answer for a type that is not there is 0 and not poison, as in libbpf. */
function typeValue(kind: CoreKind, local: Access, target: Access | undefined): CoreResolution {
  const value = (access: Access): bigint => {
    if (kind === 'type-exists' || kind === 'type-matches') return 1n;
    if (kind === 'type-size') return BigInt(byteSizeOf(access.btf, access.rootTypeId));
    return BigInt(access.rootTypeId);
  };
  // Linkers renumber type ids, so that the instruction need not hold the local one.
  return plainValue(value(local), target === undefined ? 0n : value(target), kind !== 'type-id-target');
}

function enumValue(kind: CoreKind, local: Access, target: Access | undefined): CoreResolution {
  if (kind === 'enum-value-exists') return plainValue(1n, target === undefined ? 0n : 1n, true);
  if (target === undefined) return poison(`the kernel has no enum value ${describeAccess(local)}`);
  return plainValue(enumeratorOf(local), enumeratorOf(target), true);
}

function enumeratorOf(access: Access): bigint {
  const step = access.steps[0];
  const type = step === undefined ? undefined : access.btf.type(step.typeId);
  const value = type !== undefined && 'values' in type ? type.values[step?.index ?? 0] : undefined;
  if (value === undefined) throw notForAccess('enum-value', access);
  return value.value;
}

function poison(reason: string): CoreResolution {
  return { outcome: 'poison', reason };
}

function notForAccess(kind: CoreKind, access: Access): VespidError {
  return new VespidError(
    'CORE_MALFORMED',
    `${access.btf.label}: a relocation of kind ${kind} cannot be about ${describeAccess(access)}`,
  );
}

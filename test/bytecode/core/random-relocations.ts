import fc from 'fast-check';
import type { CoreRelocation } from '../../../engine/bytecode/core/core-relocation.js';
import { localValueOf } from '../../../engine/bytecode/core/local-value.js';
import { CORE_KINDS, type CoreKind, subjectOf } from '../../../engine/bytecode/core/relocation-kind.js';
import {
  type Btf,
  type BtfMember,
  type BtfType,
  byteSizeOf,
  skipModifiers,
} from '../../../engine/bytecode/index.js';
import { array, btfOf, enumeration, int, pointer, prototype, typedef } from './written-types.js';

/** Types of an object and of a kernel that have some names in common, and relocations of the object. */
export interface RandomCase {
  readonly local: Btf;
  readonly kernel: Btf;
  readonly relocations: readonly RandomRelocation[];
}

export interface RandomRelocation extends CoreRelocation {
  /** The instruction of the relocation: one slot, or two. */
  readonly instruction: Uint8Array;
}

/** Ids 1 to 20, the same on both sides but for what each side calls `word`. */
function commonTypes(wordSize: number): BtfType[] {
  return [
    int('int', 4, 1), // 1
    int('unsigned int', 4), // 2
    int('unsigned char', 1), // 3
    int('long', 8, 1), // 4
    int('unsigned long', 8), // 5
    int('word', wordSize), // 6
    pointer(0), // 7
    { kind: 'const', typeId: 1 }, // 8
    typedef('word_t', 6), // 9
    array(2, 4), // 10
    array(9, 0), // 11
    { kind: 'float', name: 'float', byteSize: 4 }, // 12
    { kind: 'forward', name: 'unknown', isUnion: false }, // 13
    pointer(13), // 14
    prototype(1, 6, 7), // 15
    pointer(15), // 16
    typedef('callback_t', 16), // 17
    { kind: 'volatile', typeId: 9 }, // 18
    array(18, 2), // 19
    int('short', 2, 1), // 20
  ];
}

const COMMON_COUNT = 20;
/** Types of these ids can be members; bit fields are of the first nine without the pointers. */
const MEMBER_TYPE_IDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 17, 18, 19, 20];
const BIT_FIELD_TYPE_IDS = [1, 2, 3, 4, 5, 6, 8, 9, 20];

const memberName = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
const flavour = fc.constantFrom('', '', '', '___x', '___old');

interface PlannedMember {
  readonly name: string;
  /** A common type, or one of the struct types before this one. */
  readonly typeChoice: number;
  readonly isNested: boolean;
  readonly isAnonymous: boolean;
  readonly byteOffset: number;
  readonly bitField: { readonly bits: number; readonly at: number; readonly typeChoice: number } | undefined;
}

const plannedMember: fc.Arbitrary<PlannedMember> = fc.record({
  name: memberName,
  typeChoice: fc.nat(1000),
  isNested: fc.integer({ min: 0, max: 3 }).map((chance) => chance === 0),
  isAnonymous: fc.integer({ min: 0, max: 2 }).map((chance) => chance === 0),
  byteOffset: fc.nat(60).map((words) => words * 8),
  bitField: fc.oneof(
    { weight: 4, arbitrary: fc.constant(undefined) },
    {
      weight: 1,
      arbitrary: fc.record({
        bits: fc.integer({ min: 1, max: 8 }),
        at: fc.nat(60),
        typeChoice: fc.nat(1000),
      }),
    },
  ),
});

const plannedStruct = fc.record({
  name: fc.constantFrom('s', 't', 'u'),
  flavour,
  kind: fc.constantFrom('struct' as const, 'struct' as const, 'struct' as const, 'union' as const),
  isAnonymous: fc.integer({ min: 0, max: 3 }).map((chance) => chance === 0),
  members: fc.uniqueArray(plannedMember, { maxLength: 6, selector: (member) => member.name }),
  byteSize: fc.nat(64).map((words) => words * 8),
});
type PlannedStruct = typeof plannedStruct extends fc.Arbitrary<infer T> ? T : never;

const plannedTypes = fc.record({
  wordSize: fc.constantFrom(1, 2, 4, 8),
  structs: fc.array(plannedStruct, { minLength: 3, maxLength: 8 }),
  enums: fc.array(
    fc.record({
      name: fc.constantFrom('e', 'g'),
      flavour,
      isLarge: fc.boolean(),
      values: fc.uniqueArray(
        fc.record({ name: fc.constantFrom('A', 'B', 'C', 'A___x'), value: fc.nat(0x7fff_ffff) }),
        { minLength: 1, maxLength: 3, selector: (value) => value.name },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  typedefs: fc.array(fc.record({ name: fc.constantFrom('s', 't_t', 'u_t'), typeChoice: fc.nat(1000) }), {
    minLength: 1,
    maxLength: 4,
  }),
});
type PlannedTypes = typeof plannedTypes extends fc.Arbitrary<infer T> ? T : never;

function typesOf(planned: PlannedTypes): BtfType[] {
  const types = commonTypes(planned.wordSize);
  for (const { name, flavour: suffix, isLarge, values } of planned.enums) {
    const byName = Object.fromEntries(values.map((value) => [value.name, BigInt(value.value)]));
    types.push(enumeration(name + suffix, byName, isLarge ? 'enum64' : 'enum'));
  }
  for (const struct of planned.structs) types.push(structOf(struct, types));
  for (const { name, typeChoice } of planned.typedefs) {
    types.push(typedef(name, 1 + (typeChoice % types.length)));
  }
  return types;
}

function structOf(planned: PlannedStruct, before: readonly BtfType[]): BtfType {
  const nested = before.flatMap((type, index) =>
    type.kind === 'struct' || type.kind === 'union' ? index + 1 : [],
  );
  const members = planned.members.map((member) => {
    if (member.bitField !== undefined) {
      const { bits, at, typeChoice } = member.bitField;
      const typeId = BIT_FIELD_TYPE_IDS[typeChoice % BIT_FIELD_TYPE_IDS.length] ?? 1;
      return { name: member.name, typeId, bitOffset: member.byteOffset * 8 + at, bitFieldSize: bits };
    }
    const inner = member.isNested ? nested[member.typeChoice % Math.max(nested.length, 1)] : undefined;
    const typeId = inner ?? MEMBER_TYPE_IDS[member.typeChoice % MEMBER_TYPE_IDS.length] ?? 1;
    const isAnonymous = inner !== undefined && member.isAnonymous;
    return {
      name: isAnonymous ? '' : member.name,
      typeId,
      bitOffset: member.byteOffset * 8,
      bitFieldSize: 0,
    };
  });
  const name = planned.isAnonymous ? '' : planned.name + planned.flavour;
  const kept = members.filter((_, index) => isNewName(members.slice(0, index + 1), before));
  return { kind: planned.kind, name, byteSize: planned.byteSize, members: kept };
}

/** C has each name once in a scope, anonymous members included: whether the last member's are all new. */
function isNewName(members: readonly BtfMember[], before: readonly BtfType[]): boolean {
  const last = namesOf(members.slice(-1), before);
  const others = new Set(namesOf(members.slice(0, -1), before));
  return last.every((name) => !others.has(name));
}

function namesOf(members: readonly BtfMember[], before: readonly BtfType[]): string[] {
  return members.flatMap(({ name, typeId }) => {
    const type = before[typeId - 1];
    return name === '' && type !== undefined && 'members' in type ? namesOf(type.members, before) : [name];
  });
}

const plannedRelocation = fc.record({
  kind: fc.constantFrom(...CORE_KINDS),
  rootChoice: fc.nat(1000),
  rootIndex: fc.constantFrom(0, 0, 0, 1),
  path: fc.array(fc.nat(1000), { maxLength: 5 }),
  form: fc.constantFrom('immediate', 'offset', 'immediate64'),
  damage: fc.integer({ min: 0, max: 30 }),
});
type PlannedRelocation = typeof plannedRelocation extends fc.Arbitrary<infer T> ? T : never;

function relocationOf(planned: PlannedRelocation, local: Btf): RandomRelocation {
  const { kind } = planned;
  const roots = Array.from(
    { length: local.typeCount - 1 - COMMON_COUNT },
    (_, index) => COMMON_COUNT + 1 + index,
  );
  const suited = roots.filter((typeId) => isSuited(local, typeId, kind));
  const choices = suited.length === 0 || planned.damage === 0 ? roots : suited;
  const typeId = choices[planned.rootChoice % choices.length] ?? 1;
  const relocation = { kind, typeId, access: accessOf(planned, local, typeId) };
  return { ...relocation, instruction: instructionOf(planned, relocation, local) };
}

function isSuited(local: Btf, typeId: number, kind: CoreKind): boolean {
  if (local.nameOf(typeId) === '') return false;
  const underlying = local.kindOf(skipModifiers(local, typeId));
  const isEnum = underlying === 'enum' || underlying === 'enum64';
  const isComposite = underlying === 'struct' || underlying === 'union';
  const subject = subjectOf(kind);
  return subject === 'type' || (subject === 'field' ? isComposite : isEnum);
}

function accessOf(planned: PlannedRelocation, local: Btf, rootTypeId: number): string {
  const subject = subjectOf(planned.kind);
  if (subject === 'type') return '0';
  let type: BtfType = local.type(skipModifiers(local, rootTypeId));
  if (subject === 'enum-value') {
    return String('values' in type ? (planned.path[0] ?? 0) % type.values.length : 0);
  }
  const indexes: number[] = [planned.rootIndex];
  for (const choice of planned.path) {
    if ('members' in type && type.members.length > 0) {
      const index = choice % type.members.length;
      indexes.push(index);
      type = local.type(skipModifiers(local, type.members[index]?.typeId ?? 0));
    } else if (type.kind === 'array') {
      indexes.push(choice % Math.max(type.count, 3));
      type = local.type(skipModifiers(local, type.elementTypeId));
    } else {
      break;
    }
  }
  return indexes.join(':');
}

/** A move, load or store that holds what the object's types say, or seldom something else. */
function instructionOf(planned: PlannedRelocation, relocation: CoreRelocation, local: Btf): Uint8Array {
  const value = held(relocation, local) + (planned.damage === 1 ? 1n : 0n);
  const slots = new Uint8Array(planned.form === 'immediate64' ? 16 : 8);
  const view = new DataView(slots.buffer);
  switch (planned.form) {
    case 'immediate': {
      view.setUint8(0, 0xb7);
      view.setInt32(4, Number(BigInt.asIntN(32, value)), true);
      return slots;
    }
    case 'offset': {
      // ldx, st or stx, of the size that the field has here.
      const codes: Readonly<Record<number, number>> = { 1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18 };
      const size = codes[planned.damage === 2 ? 1 : fieldSize(relocation, local)] ?? 0x18;
      view.setUint8(0, 0x60 | size | (1 + (planned.rootChoice % 3)));
      view.setInt16(2, Number(BigInt.asIntN(16, value)), true);
      return slots;
    }
    case 'immediate64': {
      view.setUint8(0, 0x18);
      view.setInt32(4, Number(BigInt.asIntN(32, value)), true);
      view.setInt32(12, Number(BigInt.asIntN(32, value >> 32n)), true);
      return slots;
    }
    default:
      return slots;
  }
}

function held(relocation: CoreRelocation, local: Btf): bigint {
  try {
    const value = localValueOf(relocation, local);
    // No compiler shifts a field of more than 64 bits.
    return relocation.kind.endsWith('-shift') && value > 64n ? 0n : value;
  } catch {
    return 0n;
  }
}

/** Of the last step of the access; 8 where that makes no sense. */
function fieldSize(relocation: CoreRelocation, local: Btf): number {
  try {
    const size = localValueOf({ ...relocation, kind: 'field-byte-size' }, local);
    return Number(size);
  } catch {
    return byteSizeOf(local, 4);
  }
}

/** Most relocations are right in the object itself; some name a type that it does not have a use for. */
export const randomCase: fc.Arbitrary<RandomCase> = fc
  .record({
    local: plannedTypes,
    kernel: plannedTypes,
    relocations: fc.array(plannedRelocation, { minLength: 1, maxLength: 3 }),
  })
  .map((planned) => {
    const local = btfOf('probe.o', typesOf(planned.local));
    const kernel = btfOf('kernel', typesOf(planned.kernel));
    return { local, kernel, relocations: planned.relocations.map((each) => relocationOf(each, local)) };
  });

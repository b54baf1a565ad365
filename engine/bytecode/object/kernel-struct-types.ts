import type { FieldReference, KernelMember, KernelMemberType, KernelStruct } from '../assembled-function.js';
import type { BtfBuilder } from '../btf/btf-builder.js';
import { POINTER_BYTES } from '../btf/btf-layout.js';
import { type BasicTypes, ENUM_BYTES } from './basic-types.js';
import { checkName, checkUnsigned32, definitionError } from './definition-error.js';

/** `unsigned int`, of which every bit field is a part. */
const BIT_FIELD_UNIT_BYTES = 4;

interface Layout {
  readonly byteSize: number;
  readonly byteAlignment: number;
}

interface StructLayout extends Layout {
  readonly bitOffsets: readonly number[];
}

/**
 * The kernel structs that a program touches, as local types of the object. Only names matter to CO-RE; the
 * layout is that of a C compiler for the members given, so that the object is one that a compiler could write.
 */
export class KernelStructTypes {
  readonly #structs: ReadonlyMap<string, KernelStruct>;
  readonly #typeIds: ReadonlyMap<string, number>;
  readonly #layouts = new Map<string, StructLayout>();
  readonly #basic: BasicTypes;

  constructor(structs: readonly KernelStruct[], builder: BtfBuilder, basic: BasicTypes) {
    this.#structs = new Map(structs.map((struct) => [struct.name, struct]));
    this.#basic = basic;
    if (this.#structs.size !== structs.length) throw definitionError('a kernel type is declared twice');
    // All ids first: structs point at one another.
    this.#typeIds = new Map(structs.map((struct) => [struct.name, builder.reserve()]));
    for (const struct of structs) builder.define(this.typeIdOf(struct.name), this.#typeOf(struct));
  }

  /** @throws VespidError OBJECT_DEFINITION_INVALID for a struct that is not declared */
  typeIdOf(name: string): number {
    const typeId = this.#typeIds.get(name);
    if (typeId === undefined) throw definitionError(`kernel type ${name} is not declared`);
    return typeId;
  }

  /** CO-RE's access string for a field: `0`, then the index of each member (`0:3:1`). */
  accessOf(reference: FieldReference): string {
    let current = this.#structNamed(reference.struct);
    let where = reference.struct;
    if (reference.path.length === 0) throw definitionError(`a field reference to ${where} without a field`);
    const indexes = reference.path.map((name, position) => {
      const index = current.members.findIndex((member) => member.name === name);
      const member = current.members[index];
      if (member === undefined) throw definitionError(`${where} has no member ${name}`);
      where += `.${name}`;
      if (position === reference.path.length - 1) return index;
      if (member.type.kind !== 'struct')
        throw definitionError(`${where} is a ${member.type.kind}, not a struct`);
      current = this.#structNamed(member.type.name);
      return index;
    });
    return ['0', ...indexes].join(':');
  }

  #structNamed(name: string): KernelStruct {
    const struct = this.#structs.get(name);
    if (struct === undefined) throw definitionError(`kernel type ${name} is not declared`);
    return struct;
  }

  #typeOf(struct: KernelStruct) {
    checkName('kernel type', struct.name);
    const { bitOffsets, byteSize } = this.#structLayout(struct.name, []);
    return {
      kind: struct.kind,
      name: struct.name,
      byteSize,
      members: struct.members.map((member, index) => {
        checkName(`member of ${struct.name}`, member.name);
        checkMember(struct, member);
        return {
          name: member.name,
          typeId: this.#memberTypeId(member.type),
          bitOffset: bitOffsets[index] ?? 0,
          bitFieldSize: member.type.kind === 'bits' ? member.type.bitCount : 0,
        };
      }),
    };
  }

  #memberTypeId(type: KernelMemberType): number {
    switch (type.kind) {
      case 'int':
        return this.#basic.int(type.byteSize, type.signed);
      case 'enum':
        return this.#basic.unnamedEnum();
      case 'bits':
        return this.#basic.int(BIT_FIELD_UNIT_BYTES, false);
      case 'pointer':
        return this.#basic.pointer(type.to === null ? 0 : this.#pointedTypeId(type.to));
      case 'struct':
        return this.typeIdOf(type.name);
      case 'array':
        return this.#basic.array(this.#memberTypeId(type.element), type.count);
    }
  }

  #pointedTypeId(name: string): number {
    const declared = this.#typeIds.get(name);
    if (declared !== undefined) return declared;
    checkName('kernel type', name);
    return this.#basic.forward(name);
  }

  #layoutOf(type: KernelMemberType, inside: readonly string[]): Layout {
    switch (type.kind) {
      case 'int':
        return { byteSize: type.byteSize, byteAlignment: type.byteSize };
      case 'enum':
        return { byteSize: ENUM_BYTES, byteAlignment: ENUM_BYTES };
      case 'bits':
        return { byteSize: BIT_FIELD_UNIT_BYTES, byteAlignment: BIT_FIELD_UNIT_BYTES };
      case 'pointer':
        return { byteSize: POINTER_BYTES, byteAlignment: POINTER_BYTES };
      case 'array': {
        const element = this.#layoutOf(type.element, inside);
        return { byteSize: element.byteSize * type.count, byteAlignment: element.byteAlignment };
      }
      case 'struct':
        return this.#structLayout(type.name, inside);
    }
  }

  /** Natural alignment, members in the order given. */
  #structLayout(name: string, inside: readonly string[]): StructLayout {
    const known = this.#layouts.get(name);
    if (known !== undefined) return known;
    if (inside.includes(name)) throw definitionError(`kernel type ${name} contains itself`);
    const struct = this.#structNamed(name);
    let endBit = 0;
    let byteAlignment = 1;
    const bitOffsets = struct.members.map(({ type }) => {
      const layout = this.#layoutOf(type, [...inside, name]);
      byteAlignment = Math.max(byteAlignment, layout.byteAlignment);
      const freeBit = struct.kind === 'union' ? 0 : endBit;
      const bitCount = type.kind === 'bits' ? type.bitCount : layout.byteSize * 8;
      // A bit field goes right behind the last one, unless it would cross the end of its unit (System V ABI).
      const unitBits = layout.byteAlignment * 8;
      const fits = type.kind === 'bits' && (freeBit % unitBits) + bitCount <= unitBits;
      const start = fits ? freeBit : roundUp(freeBit, unitBits);
      endBit = Math.max(endBit, start + bitCount);
      return start;
    });
    const layout = { bitOffsets, byteSize: roundUp(Math.ceil(endBit / 8), byteAlignment), byteAlignment };
    this.#layouts.set(name, layout);
    return layout;
  }
}

function checkMember(struct: KernelStruct, { name, type }: KernelMember): void {
  const where = `${struct.name}.${name}`;
  if (
    type.kind === 'bits' &&
    !(Number.isInteger(type.bitCount) && type.bitCount >= 1 && type.bitCount <= 32)
  ) {
    throw definitionError(`${where} has ${type.bitCount} bits`);
  }
  if (type.kind === 'array') checkUnsigned32(`elements of ${where}`, type.count);
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

import type { ConstantDefinition, MapDefinition, ObjectDefinition } from '../assembled-function.js';
import type { BtfBuilder } from '../btf/btf-builder.js';
import { FUNCTION_LINKAGE, INT_ENCODING, VARIABLE_LINKAGE } from '../btf/btf-format.js';
import { POINTER_BYTES } from '../btf/btf-layout.js';
import { ByteWriter } from '../byte-writer.js';
import { BasicTypes } from './basic-types.js';
import { checkName, checkUnsigned32, definitionError } from './definition-error.js';
import { KernelStructTypes } from './kernel-struct-types.js';

/** A variable with its place in its section. */
export interface PlacedVariable {
  readonly name: string;
  readonly byteOffset: number;
  readonly byteSize: number;
}

interface TypedVariable extends PlacedVariable {
  readonly typeId: number;
}

/** The registers that carry arguments, RFC 9669 section 2.2. */
const ARGUMENT_NAMES = ['r1', 'r2', 'r3', 'r4', 'r5'];

/** Builds the BTF of an object: its functions, maps, constants and the kernel types that it touches. */
export class ObjectTypes {
  readonly kernelTypes: KernelStructTypes;
  readonly maps: readonly PlacedVariable[];
  readonly mapsByteSize: number;
  readonly constants: readonly PlacedVariable[];
  readonly constantBytes: Uint8Array;
  readonly licenseBytes: Uint8Array;
  readonly #builder: BtfBuilder;
  readonly #basic: BasicTypes;
  readonly #functionIds = new Map<string, number>();

  constructor(definition: ObjectDefinition, builder: BtfBuilder) {
    this.#builder = builder;
    this.#basic = new BasicTypes(builder);
    this.licenseBytes = new ByteWriter().cString(definition.license).finish();
    this.#addFunctions(definition);
    this.kernelTypes = new KernelStructTypes(definition.kernelTypes, builder, this.#basic);
    const maps = this.#addMaps(definition.maps);
    const constants = this.#addConstants(definition.constants);
    this.maps = maps;
    this.mapsByteSize = endOf(maps);
    this.constants = constants;
    this.constantBytes = constantBytes(definition.constants, constants);
    this.#addSection('.rodata', constants);
    this.#addSection('.maps', maps);
    this.#addSection('license', [this.#licenseVariable()]);
  }

  functionId(name: string): number {
    const typeId = this.#functionIds.get(name);
    if (typeId === undefined) throw definitionError(`function ${name} is not defined`);
    return typeId;
  }

  /**
   * Programs are `int name(void *ctx)`. The kernel looks at a static function's parameters only to say more
   * about them, so that all subprograms get the five registers that a call passes.
   */
  #addFunctions(definition: ObjectDefinition): void {
    const pointer = this.#basic.pointer(0);
    const add = (name: string, typeId: number, linkage: number): void => {
      this.#functionIds.set(name, this.#builder.add({ kind: 'function', name, typeId, linkage }));
    };
    if (definition.programs.length > 0) {
      const prototype = this.#builder.add({
        kind: 'function-prototype',
        returnTypeId: this.#basic.int(4, true),
        parameters: [{ name: 'ctx', typeId: pointer }],
      });
      for (const program of definition.programs)
        add(program.function.name, prototype, FUNCTION_LINKAGE.global);
    }
    if (definition.subprograms.length > 0) {
      const prototype = this.#builder.add({
        kind: 'function-prototype',
        returnTypeId: this.#basic.int(8, true),
        parameters: ARGUMENT_NAMES.map((name) => ({ name, typeId: pointer })),
      });
      // Static, which the kernel demands of callbacks.
      for (const subprogram of definition.subprograms)
        add(subprogram.name, prototype, FUNCTION_LINKAGE.static);
    }
  }

  /** libbpf's form: a struct of pointers to arrays, whose lengths are the numbers. */
  #addMaps(maps: readonly MapDefinition[]): TypedVariable[] {
    let byteOffset = 0;
    return maps.map((map) => {
      const attributes: [string, number][] = [
        ['type', map.type],
        ['key_size', map.keySize],
        ['value_size', map.valueSize],
        ['max_entries', map.maxEntries],
        ['map_flags', map.flags],
      ];
      for (const [name, value] of attributes) checkUnsigned32(`map ${map.name}: ${name}`, value);
      if (map.type === 0) throw definitionError(`map ${map.name} has no type`);
      const int = this.#basic.int(4, true);
      const members = attributes
        .filter(([, value]) => value !== 0)
        .map(([name, value], index) => ({
          name,
          typeId: this.#basic.pointer(this.#basic.array(int, value)),
          bitOffset: index * POINTER_BYTES * 8,
          bitFieldSize: 0,
        }));
      const byteSize = members.length * POINTER_BYTES;
      const struct = this.#builder.add({ kind: 'struct', name: '', byteSize, members });
      const placed = { name: map.name, byteOffset, byteSize, typeId: this.#variable(map.name, struct) };
      byteOffset += byteSize;
      return placed;
    });
  }

  #addConstants(constants: readonly ConstantDefinition[]): TypedVariable[] {
    let byteOffset = 0;
    return constants.map((constant) => {
      const { byteOffsets, byteSize } = constantLayout(constant);
      const struct = this.#builder.add({
        kind: 'struct',
        name: '',
        byteSize,
        members: constant.members.map((member, index) => ({
          name: member.name,
          typeId: this.#basic.int(member.byteSize, false),
          bitOffset: (byteOffsets[index] ?? 0) * 8,
          bitFieldSize: 0,
        })),
      });
      const typeId = this.#variable(constant.name, this.#basic.constant(struct));
      const placed = { name: constant.name, byteOffset, byteSize, typeId };
      byteOffset += byteSize;
      return placed;
    });
  }

  #licenseVariable(): TypedVariable {
    const char = this.#builder.add({
      kind: 'int',
      name: 'char',
      byteSize: 1,
      encoding: INT_ENCODING.signed,
      bitOffset: 0,
      bitSize: 8,
    });
    const byteSize = this.licenseBytes.byteLength;
    const typeId = this.#variable('_license', this.#basic.array(char, byteSize));
    return { name: '_license', byteOffset: 0, byteSize, typeId };
  }

  #variable(name: string, typeId: number): number {
    return this.#builder.add({ kind: 'variable', name, typeId, linkage: VARIABLE_LINKAGE.global });
  }

  #addSection(name: string, variables: readonly TypedVariable[]): void {
    if (variables.length === 0) return;
    this.#builder.add({
      kind: 'data-section',
      name,
      byteSize: endOf(variables),
      variables: variables.map(({ typeId, byteOffset, byteSize }) => ({ typeId, byteOffset, byteSize })),
    });
  }
}

/** Members at their natural alignment; the size is a multiple of 8, so that constants follow one another. */
function constantLayout(constant: ConstantDefinition): { byteOffsets: number[]; byteSize: number } {
  if (constant.members.length === 0) throw definitionError(`constant ${constant.name} has no members`);
  let end = 0;
  const byteOffsets = constant.members.map((member) => {
    checkName(`member of ${constant.name}`, member.name);
    const start = Math.ceil(end / member.byteSize) * member.byteSize;
    end = start + member.byteSize;
    return start;
  });
  return { byteOffsets, byteSize: Math.ceil(end / 8) * 8 };
}

function constantBytes(
  definitions: readonly ConstantDefinition[],
  placed: readonly PlacedVariable[],
): Uint8Array {
  const out = new ByteWriter();
  for (const [index, definition] of definitions.entries()) {
    for (const { name, byteSize, value } of definition.members) {
      if (BigInt.asUintN(byteSize * 8, value) !== value) {
        throw definitionError(`${definition.name}.${name} is ${value}, which ${byteSize} bytes do not hold`);
      }
      out.align(byteSize);
      if (byteSize === 8) out.u64(value);
      else out.u32(Number(value));
    }
    out.align(8);
    const end = (placed[index]?.byteOffset ?? 0) + (placed[index]?.byteSize ?? 0);
    if (out.byteLength !== end) throw definitionError(`constant ${definition.name} is not laid out as typed`);
  }
  return out.finish();
}

function endOf(variables: readonly PlacedVariable[]): number {
  const last = variables.at(-1);
  return last === undefined ? 0 : last.byteOffset + last.byteSize;
}

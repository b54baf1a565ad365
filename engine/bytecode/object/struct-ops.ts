import { VespidError } from '../../errors/index.js';
import { skipModifiers, underlyingType } from '../btf/btf-layout.js';
import type { Btf } from '../btf/btf-reader.js';
import type { BtfComposite, BtfMember, BtfSectionVariable } from '../btf/btf-type.js';
import type { ElfFile, ElfSection } from '../elf/elf-reader.js';
import type { ElfRelocation } from '../elf/elf-relocations.js';
import { sectionContent } from './data-sections.js';
import type { ObjectFunction } from './object-references.js';
import { within } from './sorted-places.js';

/** A variable in `.struct_ops`: the object's form of a kernel struct of callbacks. */
export interface StructOpsMap {
  readonly name: string;
  /** The struct in the object's BTF. */
  readonly typeId: number;
  /** Its name, which may carry a CO-RE flavour (`___x`). */
  readonly typeName: string;
  /** Its bytes in the object's layout; the pointers to functions are 0. */
  readonly bytes: Uint8Array;
  /** Whether it is of `.struct_ops.link`: registered by a link, not by the map's element. */
  readonly isLink: boolean;
  /** False for a section with `?`. */
  readonly isLoadedByDefault: boolean;
  /** The members that a program implements, in order. */
  readonly functions: readonly StructOpsFunction[];
}

export interface StructOpsFunction {
  readonly byteOffset: number;
  /** Name of the member. */
  readonly member: string;
  readonly program: ObjectFunction;
}

/** Where a function begins. */
export type FunctionAt = (sectionIndex: number, byteOffset: number) => ObjectFunction | undefined;

const SECTION_PATTERN = /^(\??)\.struct_ops(\.link)?$/;

/** @throws VespidError OBJECT_MALFORMED */
export function readStructOps(elf: ElfFile, btf: Btf | undefined, functionAt: FunctionAt): StructOpsMap[] {
  return elf.sections.flatMap((section) => {
    const match = SECTION_PATTERN.exec(section.name);
    if (match === null || section.byteSize === 0) return [];
    const typeId = btf?.idsByName(section.name, 'data-section')[0];
    const type = typeId === undefined ? undefined : btf?.type(typeId);
    if (btf === undefined || type?.kind !== 'data-section') {
      throw malformed(elf.label, `a section ${section.name} but no BTF of it`);
    }
    const relocations = [...elf.relocations.of(section.index)].sort((a, b) => a.byteOffset - b.byteOffset);
    const reader = new StructOpsReader(elf, btf, section, functionAt);
    const variables = [...type.variables].sort((a, b) => a.byteOffset - b.byteOffset);
    return variables.map((variable) => ({
      ...reader.read(variable, relocations),
      isLink: match[2] !== undefined,
      isLoadedByDefault: match[1] === '',
    }));
  });
}

/** Reads the variables of one section, in the order of their places. */
class StructOpsReader {
  readonly #elf: ElfFile;
  readonly #btf: Btf;
  readonly #section: ElfSection;
  readonly #functionAt: FunctionAt;
  readonly #content: Uint8Array;
  readonly #members = new Map<number, ReadonlyMap<number, BtfMember>>();
  /** Where the variable before ends. */
  #end = 0;

  constructor(elf: ElfFile, btf: Btf, section: ElfSection, functionAt: FunctionAt) {
    this.#elf = elf;
    this.#btf = btf;
    this.#section = section;
    this.#functionAt = functionAt;
    this.#content = sectionContent(section);
  }

  read(
    { typeId: variableId, byteOffset }: BtfSectionVariable,
    relocations: readonly ElfRelocation[],
  ): Omit<StructOpsMap, 'isLink' | 'isLoadedByDefault'> {
    const variable = this.#btf.type(variableId);
    const name = this.#btf.nameOf(variableId);
    const typeId = variable.kind === 'variable' ? skipModifiers(this.#btf, variable.typeId) : 0;
    const type = this.#btf.type(typeId);
    if (type.kind !== 'struct' || type.name === '')
      throw this.#malformed(`${name} is not of a struct with a name`);
    const end = byteOffset + type.byteSize;
    if (end > this.#section.byteSize) throw this.#malformed(`${name} ends at ${end}, after its section`);
    if (byteOffset < this.#end) throw this.#malformed(`${name} overlaps the variable before it`);
    this.#end = end;
    const bytes = this.#content.slice(byteOffset, end);
    const members = this.#membersOf(typeId, type);
    const functions = within(relocations, byteOffset, end).map((relocation): StructOpsFunction => {
      const place = relocation.byteOffset - byteOffset;
      const member = members.get(place);
      if (member === undefined || !this.#isFunctionPointer(member.typeId)) {
        throw this.#malformed(`${name}+${place} is not a pointer to a function`);
      }
      return {
        byteOffset: place,
        member: member.name,
        program: this.#programOf(relocation, name, member.name),
      };
    });
    // What stands there is the relocation's addend.
    for (const { byteOffset: place } of functions) bytes.fill(0, place, place + 8);
    return { name, typeId, typeName: type.name, bytes, functions };
  }

  /** By byte offset; several variables may be of one struct of thousands of members. */
  #membersOf(typeId: number, type: BtfComposite): ReadonlyMap<number, BtfMember> {
    const known = this.#members.get(typeId);
    if (known !== undefined) return known;
    const members = new Map(type.members.map((member) => [member.bitOffset / 8, member]));
    this.#members.set(typeId, members);
    return members;
  }

  #isFunctionPointer(typeId: number): boolean {
    const pointer = underlyingType(this.#btf, typeId);
    return (
      pointer.kind === 'pointer' && underlyingType(this.#btf, pointer.typeId).kind === 'function-prototype'
    );
  }

  #programOf(relocation: ElfRelocation, name: string, member: string): ObjectFunction {
    const symbol = this.#elf.symbols[relocation.symbolIndex];
    const program = symbol === undefined ? undefined : this.#functionAt(symbol.sectionIndex, symbol.value);
    if (program !== undefined && /^\??struct_ops(\.s)?(\/|$)/.test(program.section)) return program;
    throw this.#malformed(`${name}.${member}: ${symbol?.name} is not a program of SEC("struct_ops")`);
  }

  #malformed(message: string): VespidError {
    return malformed(this.#elf.label, `${this.#section.name}: ${message}`);
  }
}

function malformed(label: string, message: string): VespidError {
  return new VespidError('OBJECT_MALFORMED', `${label}: ${message}`);
}

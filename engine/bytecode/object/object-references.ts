import { VespidError } from '../../errors/index.js';
import { RELOCATION_TYPE, SECTION_INDEX_RESERVED, SECTION_INDEX_UNDEFINED } from '../elf/elf-format.js';
import type { ElfFile, ElfRelocation, ElfSection, ElfSymbol } from '../elf/elf-reader.js';
import { InstructionSlots, LOAD_IMM64_OPCODE } from '../instruction-slots.js';
import { SLOT_BYTES } from '../isa.js';
import { isDataSectionName } from './data-sections.js';
import type { MapPlaces } from './map-definitions.js';
import type { BareFunction, ObjectFunction } from './object-functions.js';

/** What an instruction refers to outside of its function. */
export type ObjectReference =
  | { readonly kind: 'map'; readonly slotIndex: number; readonly map: string }
  | {
      readonly kind: 'data';
      readonly slotIndex: number;
      readonly section: string;
      readonly byteOffset: number;
    }
  /** A call or the address (for a callback) of another function, which begins exactly there. */
  | {
      readonly kind: 'call' | 'function-address';
      readonly slotIndex: number;
      readonly sectionIndex: number;
      readonly byteOffset: number;
    }
  /** A call of a function of the kernel. */
  | { readonly kind: 'kfunc'; readonly slotIndex: number; readonly name: string }
  /** The address of something outside of the object: a kernel variable, a configuration value. */
  | { readonly kind: 'extern'; readonly slotIndex: number; readonly name: string };

/**
 * Gives every function the references of its instructions, from relocations and from calls that the compiler
 * resolved itself (Documentation/bpf/llvm_reloc.rst). The addend of a relocation is in the instruction.
 * @throws VespidError OBJECT_MALFORMED, OBJECT_UNSUPPORTED
 */
export function resolveReferences(
  elf: ElfFile,
  functions: readonly BareFunction[],
  maps: MapPlaces,
): ObjectFunction[] {
  const starts = new Set(functions.map((f) => functionKey(f.sectionIndex, f.byteOffset)));
  const relocationsBySection = new Map<number, Map<number, ElfRelocation>>();
  return functions.map((bare) => {
    let relocations = relocationsBySection.get(bare.sectionIndex);
    if (relocations === undefined) {
      const list = elf.relocations.get(bare.sectionIndex) ?? [];
      relocations = new Map(list.map((relocation) => [relocation.byteOffset, relocation]));
      relocationsBySection.set(bare.sectionIndex, relocations);
    }
    const resolver = new FunctionResolver(elf, bare, maps);
    const references = resolver.resolve(relocations);
    for (const reference of references) {
      if (reference.kind !== 'call' && reference.kind !== 'function-address') continue;
      if (starts.has(functionKey(reference.sectionIndex, reference.byteOffset))) continue;
      throw resolver.malformed(reference.slotIndex, `${reference.kind} leads to no function`);
    }
    return { ...bare, references };
  });
}

/** A function's identity: names are unique only among global ones. */
export function functionKey(sectionIndex: number, byteOffset: number): string {
  return `${sectionIndex}+${byteOffset}`;
}

class FunctionResolver {
  readonly #elf: ElfFile;
  readonly #function: BareFunction;
  readonly #maps: MapPlaces;
  readonly #slots: InstructionSlots;

  constructor(elf: ElfFile, bare: BareFunction, maps: MapPlaces) {
    this.#elf = elf;
    this.#function = bare;
    this.#maps = maps;
    this.#slots = new InstructionSlots(bare.instructions, `${elf.label}: ${bare.name}`);
  }

  resolve(relocations: ReadonlyMap<number, ElfRelocation>): ObjectReference[] {
    const references: ObjectReference[] = [];
    const instructionStarts = new Set<number>();
    for (const slotIndex of this.#slots.starts()) {
      instructionStarts.add(slotIndex);
      const relocation = relocations.get(this.#function.byteOffset + slotIndex * SLOT_BYTES);
      const reference =
        relocation === undefined
          ? this.#withoutRelocation(slotIndex)
          : this.#relocated(slotIndex, relocation);
      if (reference !== undefined) references.push(reference);
    }
    this.#checkPlaces(relocations, instructionStarts);
    return references;
  }

  /** A relocation that is not on the start of an instruction would be lost. */
  #checkPlaces(relocations: ReadonlyMap<number, ElfRelocation>, starts: ReadonlySet<number>): void {
    const { byteOffset } = this.#function;
    for (const place of relocations.keys()) {
      const isInside = place >= byteOffset && place < byteOffset + this.#slots.bytes.byteLength;
      if (!isInside || starts.has((place - byteOffset) / SLOT_BYTES)) continue;
      throw this.malformed(Math.floor((place - byteOffset) / SLOT_BYTES), 'relocation inside an instruction');
    }
  }

  #withoutRelocation(slotIndex: number): ObjectReference | undefined {
    if (this.#slots.isLocalCall(slotIndex)) {
      const target =
        this.#function.byteOffset + (slotIndex + 1 + this.#slots.immediate(slotIndex)) * SLOT_BYTES;
      return { kind: 'call', slotIndex, sectionIndex: this.#function.sectionIndex, byteOffset: target };
    }
    if (this.#slots.opcode(slotIndex) !== LOAD_IMM64_OPCODE) return undefined;
    if (!this.#slots.isLoadImmediate64(slotIndex)) throw this.malformed(slotIndex, 'half of a ld_imm64');
    // An object has no file descriptors or kernel ids to name: loaded as it is, this would reach whatever
    // has that number in the loading process.
    if (this.#slots.sourceRegister(slotIndex) !== 0) {
      throw this.malformed(slotIndex, 'ld_imm64 of a file descriptor or id without relocation');
    }
    return undefined;
  }

  #relocated(slotIndex: number, relocation: ElfRelocation): ObjectReference {
    const symbol = this.#elf.symbols[relocation.symbolIndex];
    if (symbol === undefined) throw this.malformed(slotIndex, `no symbol ${relocation.symbolIndex}`);
    if (this.#slots.isCall(slotIndex) && relocation.type === RELOCATION_TYPE.call32) {
      return this.#call(slotIndex, symbol);
    }
    if (this.#slots.isLoadImmediate64(slotIndex) && relocation.type === RELOCATION_TYPE.imm64) {
      return this.#address(slotIndex, symbol);
    }
    const opcode = this.#slots.opcode(slotIndex).toString(16);
    throw this.#unsupported(slotIndex, `relocation of type ${relocation.type} on opcode 0x${opcode}`);
  }

  #call(slotIndex: number, symbol: ElfSymbol): ObjectReference {
    if (symbol.sectionIndex === SECTION_INDEX_UNDEFINED)
      return { kind: 'kfunc', slotIndex, name: symbol.name };
    const section = this.#sectionOf(slotIndex, symbol);
    // Clang writes -1 with a function's symbol, and the distance less one with the section's symbol.
    const byteOffset = symbol.value + (this.#slots.immediate(slotIndex) + 1) * SLOT_BYTES;
    return { kind: 'call', slotIndex, sectionIndex: section.index, byteOffset };
  }

  #address(slotIndex: number, symbol: ElfSymbol): ObjectReference {
    if (symbol.sectionIndex === SECTION_INDEX_UNDEFINED)
      return { kind: 'extern', slotIndex, name: symbol.name };
    const section = this.#sectionOf(slotIndex, symbol);
    const byteOffset = symbol.value + this.#slots.immediate(slotIndex);
    if (section.index === this.#maps.sectionIndex) {
      const map = this.#maps.byOffset.get(byteOffset);
      if (map === undefined) throw this.malformed(slotIndex, `no map at .maps+${byteOffset}`);
      return { kind: 'map', slotIndex, map };
    }
    if (isDataSectionName(section.name)) {
      // One past the end is an address that C allows to take.
      if (byteOffset >= 0 && byteOffset <= section.byteSize) {
        return { kind: 'data', slotIndex, section: section.name, byteOffset };
      }
      throw this.malformed(slotIndex, `${section.name}+${byteOffset} is outside of the section`);
    }
    return { kind: 'function-address', slotIndex, sectionIndex: section.index, byteOffset };
  }

  #sectionOf(slotIndex: number, symbol: ElfSymbol): ElfSection {
    const section = this.#elf.sections[symbol.sectionIndex];
    if (section === undefined || symbol.sectionIndex >= SECTION_INDEX_RESERVED) {
      throw this.#unsupported(slotIndex, `symbol ${symbol.name} is in no section`);
    }
    return section;
  }

  malformed(slotIndex: number, message: string): VespidError {
    return new VespidError('OBJECT_MALFORMED', `${this.#where(slotIndex)}: ${message}`);
  }

  #unsupported(slotIndex: number, message: string): VespidError {
    return new VespidError('OBJECT_UNSUPPORTED', `${this.#where(slotIndex)}: ${message}`);
  }

  #where(slotIndex: number): string {
    const { section, name } = this.#function;
    return `${this.#elf.label}: ${section}: ${name}, instruction ${slotIndex}`;
  }
}

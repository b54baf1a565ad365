import { VespidError } from '../../errors/index.js';
import { RELOCATION_TYPE, SECTION_INDEX_RESERVED, SECTION_INDEX_UNDEFINED } from '../elf/elf-format.js';
import type { ElfFile, ElfRelocation, ElfSection, ElfSymbol } from '../elf/elf-reader.js';
import { InstructionSlots, LOAD_IMM64_OPCODE } from '../instruction-slots.js';
import { SLOT_BYTES } from '../isa.js';
import { isDataSectionName } from './data-sections.js';
import type { MapPlaces } from './map-definitions.js';
import type { BareFunction } from './object-functions.js';

/** One function of an object. All slot indexes count from its own start. */
export interface ObjectFunction extends BareFunction {
  /** What its instructions refer to, in order. */
  readonly references: readonly ObjectReference[];
}

/** What an instruction refers to outside of its function. */
export type ObjectReference =
  | { readonly kind: 'map'; readonly slotIndex: number; readonly map: string }
  | {
      readonly kind: 'data';
      readonly slotIndex: number;
      readonly section: string;
      readonly byteOffset: number;
    }
  /** A call or the address (for a callback) of another function of the object. */
  | {
      readonly kind: 'call' | 'function-address';
      readonly slotIndex: number;
      readonly target: ObjectFunction;
    }
  /** A call of a function of the kernel. */
  | { readonly kind: 'kfunc'; readonly slotIndex: number; readonly name: string }
  /** The address of a variable or a function of the kernel. */
  | { readonly kind: 'extern'; readonly slotIndex: number; readonly name: string }
  /** A byte of the section of configuration values, or of the object's arena. */
  | { readonly kind: 'kconfig' | 'arena'; readonly slotIndex: number; readonly byteOffset: number };

/**
 * Gives every function the references of its instructions, from relocations and from calls that the compiler
 * resolved itself (Documentation/bpf/llvm_reloc.rst). The addend of a relocation is in the instruction.
 * @param bareFunctions in order of section and place
 * @throws VespidError OBJECT_MALFORMED, OBJECT_UNSUPPORTED
 */
export function resolveReferences(
  elf: ElfFile,
  bareFunctions: readonly BareFunction[],
  maps: MapPlaces,
): ObjectFunction[] {
  const functions = bareFunctions.map((bare) => ({ ...bare, references: [] as ObjectReference[] }));
  const byPlace = new Map(functions.map((f) => [placeKey(f.sectionIndex, f.byteOffset), f]));
  const relocations = new Map<number, RelocationQueue>();
  for (const f of functions) {
    let queue = relocations.get(f.sectionIndex);
    if (queue === undefined) {
      queue = new RelocationQueue(elf.relocations.get(f.sectionIndex) ?? []);
      relocations.set(f.sectionIndex, queue);
    }
    new FunctionResolver(elf, f, maps, byPlace).resolve(queue, f.references);
  }
  return functions;
}

/** A function's identity: names are unique only among global ones. */
function placeKey(sectionIndex: number, byteOffset: number): string {
  return `${sectionIndex}+${byteOffset}`;
}

/** The relocations of one section, taken in ascending order as its functions are gone through. */
class RelocationQueue {
  readonly #sorted: readonly ElfRelocation[];
  #next = 0;

  constructor(relocations: readonly ElfRelocation[]) {
    this.#sorted = [...relocations].sort((a, b) => a.byteOffset - b.byteOffset);
  }

  /** Passes over those before a place: between functions there is nothing that anybody loads. */
  skipTo(byteOffset: number): void {
    while ((this.#sorted[this.#next]?.byteOffset ?? byteOffset) < byteOffset) this.#next++;
  }

  /** The next one if it is before a place. */
  takeBefore(byteOffset: number): ElfRelocation | undefined {
    const relocation = this.#sorted[this.#next];
    if (relocation === undefined || relocation.byteOffset >= byteOffset) return undefined;
    this.#next++;
    return relocation;
  }
}

class FunctionResolver {
  readonly #elf: ElfFile;
  readonly #function: BareFunction;
  readonly #maps: MapPlaces;
  readonly #byPlace: ReadonlyMap<string, ObjectFunction>;
  readonly #slots: InstructionSlots;

  constructor(
    elf: ElfFile,
    bare: BareFunction,
    maps: MapPlaces,
    byPlace: ReadonlyMap<string, ObjectFunction>,
  ) {
    this.#elf = elf;
    this.#function = bare;
    this.#maps = maps;
    this.#byPlace = byPlace;
    this.#slots = new InstructionSlots(bare.instructions, `${elf.label}: ${bare.name}`);
  }

  resolve(queue: RelocationQueue, references: ObjectReference[]): void {
    const start = this.#function.byteOffset;
    queue.skipTo(start);
    for (const slotIndex of this.#slots.starts()) {
      const isWide = this.#slots.opcode(slotIndex) === LOAD_IMM64_OPCODE;
      const relocation = queue.takeBefore(start + (slotIndex + (isWide ? 2 : 1)) * SLOT_BYTES);
      if (relocation !== undefined && relocation.byteOffset !== start + slotIndex * SLOT_BYTES) {
        throw this.#malformed(slotIndex, 'two relocations, or one inside of the instruction');
      }
      const reference =
        relocation === undefined ? this.#unrelocated(slotIndex) : this.#relocated(slotIndex, relocation);
      if (reference !== undefined) references.push(reference);
    }
  }

  #unrelocated(slotIndex: number): ObjectReference | undefined {
    if (this.#slots.isLocalCall(slotIndex)) {
      const distance = slotIndex + 1 + this.#slots.immediate(slotIndex);
      const { sectionIndex, byteOffset } = this.#function;
      return this.#toFunction('call', slotIndex, sectionIndex, byteOffset + distance * SLOT_BYTES);
    }
    if (this.#slots.opcode(slotIndex) !== LOAD_IMM64_OPCODE) return undefined;
    if (!this.#slots.isLoadImmediate64(slotIndex)) throw this.#malformed(slotIndex, 'half of a ld_imm64');
    // An object has no file descriptors or kernel ids to name: loaded as it is, this would reach whatever
    // has that number in the loading process.
    if (this.#slots.sourceRegister(slotIndex) !== 0) {
      throw this.#malformed(slotIndex, 'ld_imm64 of a file descriptor or id without relocation');
    }
    return undefined;
  }

  #relocated(slotIndex: number, relocation: ElfRelocation): ObjectReference {
    const symbol = this.#elf.symbols[relocation.symbolIndex];
    if (symbol === undefined) throw this.#malformed(slotIndex, `no symbol ${relocation.symbolIndex}`);
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
    // Clang writes -1 with a function's symbol, and the function's slot less one with the section's symbol.
    const byteOffset = symbol.value + (this.#slots.immediate(slotIndex) + 1) * SLOT_BYTES;
    return this.#toFunction('call', slotIndex, section.index, byteOffset);
  }

  #address(slotIndex: number, symbol: ElfSymbol): ObjectReference {
    if (symbol.sectionIndex === SECTION_INDEX_UNDEFINED)
      return { kind: 'extern', slotIndex, name: symbol.name };
    const section = this.#sectionOf(slotIndex, symbol);
    const byteOffset = symbol.value + this.#slots.immediate(slotIndex);
    if (section.index === this.#maps.sectionIndex) {
      const map = this.#maps.byOffset.get(byteOffset);
      if (map === undefined) throw this.#malformed(slotIndex, `no map at .maps+${byteOffset}`);
      return { kind: 'map', slotIndex, map };
    }
    if (isDataSectionName(section.name)) {
      // One past the end is an address that C allows to take.
      if (byteOffset >= 0 && byteOffset <= section.byteSize) {
        return { kind: 'data', slotIndex, section: section.name, byteOffset };
      }
      throw this.#malformed(slotIndex, `${section.name}+${byteOffset} is outside of the section`);
    }
    return this.#toFunction('function-address', slotIndex, section.index, byteOffset);
  }

  #toFunction(
    kind: 'call' | 'function-address',
    slotIndex: number,
    sectionIndex: number,
    byteOffset: number,
  ): ObjectReference {
    const target = this.#byPlace.get(placeKey(sectionIndex, byteOffset));
    if (target !== undefined) return { kind, slotIndex, target };
    const section = this.#elf.sections[sectionIndex]?.name ?? '';
    throw this.#malformed(slotIndex, `no function begins at ${section}+${byteOffset}`);
  }

  #sectionOf(slotIndex: number, symbol: ElfSymbol): ElfSection {
    const section = this.#elf.sections[symbol.sectionIndex];
    if (section === undefined || symbol.sectionIndex >= SECTION_INDEX_RESERVED) {
      throw this.#unsupported(slotIndex, `symbol ${symbol.name} is in no section`);
    }
    return section;
  }

  #malformed(slotIndex: number, message: string): VespidError {
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

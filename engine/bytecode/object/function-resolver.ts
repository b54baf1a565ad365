import { VespidError } from '../../errors/index.js';
import { RELOCATION_TYPE, SECTION_INDEX_RESERVED, SECTION_INDEX_UNDEFINED } from '../elf/elf-format.js';
import type { ElfFile, ElfSection, ElfSymbol } from '../elf/elf-reader.js';
import type { ElfRelocation } from '../elf/elf-relocations.js';
import { CALL_OPCODE, InstructionSlots, LOAD_IMM64_OPCODE } from '../instruction-slots.js';
import { SLOT_BYTES } from '../isa.js';
import { isDataSectionName } from './data-sections.js';
import type { PlacedMaps } from './map-definitions.js';
import type { BareFunction } from './object-functions.js';
import type { ObjectFunctions, ObjectReference } from './object-references.js';

/** What references may lead to, apart from functions. */
export interface ReferenceTargets {
  readonly maps: PlacedMaps;
  /** Index of the section of arena variables, -1 if there is none. */
  readonly arenaSectionIndex: number;
  /** Byte offsets of configuration values, by name. */
  readonly kconfigOffsets: ReadonlyMap<string, number>;
}

/** Finds the references of one function. */
export class FunctionResolver {
  readonly #elf: ElfFile;
  readonly #function: BareFunction;
  readonly #targets: ReferenceTargets;
  readonly #functionAt: ObjectFunctions['at'];
  readonly #slots: InstructionSlots;

  constructor(
    elf: ElfFile,
    bare: BareFunction,
    targets: ReferenceTargets,
    functionAt: ObjectFunctions['at'],
  ) {
    this.#elf = elf;
    this.#function = bare;
    this.#targets = targets;
    this.#functionAt = functionAt;
    this.#slots = new InstructionSlots(bare.instructions, `${elf.label}: ${bare.name}`);
  }

  /** @param relocations those of the function, ascending by place */
  resolve(relocations: readonly ElfRelocation[]): ObjectReference[] {
    const references: ObjectReference[] = [];
    const start = this.#function.byteOffset;
    const { bytes, slotCount } = this.#slots;
    let next = 0;
    let nextPlace = relocations[0]?.byteOffset ?? Number.POSITIVE_INFINITY;
    for (let slotIndex = 0; slotIndex < slotCount; slotIndex++) {
      const opcode = bytes[slotIndex * SLOT_BYTES] ?? 0;
      const place = start + slotIndex * SLOT_BYTES;
      // Nearly all instructions: passed over without a call, for there may be a million.
      const isPlain = opcode !== CALL_OPCODE && opcode !== LOAD_IMM64_OPCODE;
      if (isPlain && nextPlace >= place + SLOT_BYTES) continue;
      const end = place + (opcode === LOAD_IMM64_OPCODE ? 2 : 1) * SLOT_BYTES;
      const relocation = relocations[next];
      let reference: ObjectReference | undefined;
      if (relocation !== undefined && relocation.byteOffset < end) {
        next++;
        nextPlace = relocations[next]?.byteOffset ?? Number.POSITIVE_INFINITY;
        if (relocation.byteOffset !== place || (relocations[next]?.byteOffset ?? end) < end) {
          throw this.#malformed(slotIndex, 'two relocations, or one inside of the instruction');
        }
        reference = this.#relocated(slotIndex, relocation);
      } else {
        reference = this.#unrelocated(slotIndex, opcode);
      }
      if (reference !== undefined) references.push(reference);
      if (opcode === LOAD_IMM64_OPCODE) slotIndex++;
    }
    return references;
  }

  #unrelocated(slotIndex: number, opcode: number): ObjectReference | undefined {
    if (this.#slots.isLocalCall(slotIndex)) {
      const distance = slotIndex + 1 + this.#slots.immediate(slotIndex);
      const { sectionIndex, byteOffset } = this.#function;
      return this.#toFunction('call', slotIndex, sectionIndex, byteOffset + distance * SLOT_BYTES);
    }
    // An object has no file descriptors or kernel ids to name: loaded as it is, this would reach whatever
    // has that number in the loading process.
    if (opcode === LOAD_IMM64_OPCODE && this.#slots.sourceRegister(slotIndex) !== 0) {
      return invalid(slotIndex, 'ld_imm64 of a file descriptor or id without relocation');
    }
    // A kernel function by a number would be called, and no statement about the program could name it.
    if (opcode === CALL_OPCODE && this.#slots.sourceRegister(slotIndex) !== 0) {
      return invalid(slotIndex, 'a call of a kernel function without relocation');
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
    if (symbol.sectionIndex === SECTION_INDEX_UNDEFINED) {
      return { kind: 'kfunc', slotIndex, name: symbol.name };
    }
    const section = this.#sectionOf(slotIndex, symbol);
    // Clang writes -1 with a function's symbol, and the function's slot less one with the section's symbol.
    const byteOffset = symbol.value + (this.#slots.immediate(slotIndex) + 1) * SLOT_BYTES;
    return this.#toFunction('call', slotIndex, section.index, byteOffset);
  }

  #address(slotIndex: number, symbol: ElfSymbol): ObjectReference {
    if (symbol.sectionIndex === SECTION_INDEX_UNDEFINED) {
      const byteOffset = this.#targets.kconfigOffsets.get(symbol.name);
      return byteOffset === undefined
        ? { kind: 'extern', slotIndex, name: symbol.name }
        : { kind: 'kconfig', slotIndex, byteOffset };
    }
    const section = this.#sectionOf(slotIndex, symbol);
    const byteOffset = symbol.value + this.#slots.immediate(slotIndex);
    if (section.index === this.#targets.maps.sectionIndex) {
      const placed = this.#targets.maps.byOffset.get(byteOffset);
      if (placed === undefined) throw this.#malformed(slotIndex, `no map at .maps+${byteOffset}`);
      return { kind: 'map', slotIndex, map: placed.map.name };
    }
    const isArena = section.index === this.#targets.arenaSectionIndex;
    if (!isArena && !isDataSectionName(section.name)) {
      return this.#toFunction('function-address', slotIndex, section.index, byteOffset);
    }
    // A compiler takes addresses before and after the section, as long as what they are added to leads back.
    return isArena
      ? { kind: 'arena', slotIndex, byteOffset }
      : { kind: 'data', slotIndex, section: section.name, byteOffset };
  }

  #toFunction(
    kind: 'call' | 'function-address',
    slotIndex: number,
    sectionIndex: number,
    byteOffset: number,
  ): ObjectReference {
    const target = this.#functionAt(sectionIndex, byteOffset);
    if (target !== undefined) return { kind, slotIndex, target };
    const section = this.#elf.sections[sectionIndex]?.name ?? '';
    return invalid(slotIndex, `no function begins at ${section}+${byteOffset}`);
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

function invalid(slotIndex: number, reason: string): ObjectReference {
  return { kind: 'invalid', slotIndex, reason };
}

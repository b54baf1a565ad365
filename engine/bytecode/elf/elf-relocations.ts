import { VespidError } from '../../errors/index.js';
import { type ByteOrder, ByteReader } from '../byte-reader.js';
import { RELOCATION_BYTES, SECTION_TYPE } from './elf-format.js';
import type { ElfSection } from './elf-reader.js';

export interface ElfRelocation {
  readonly byteOffset: number;
  /** See RELOCATION_TYPE. */
  readonly type: number;
  readonly symbolIndex: number;
}

/**
 * The relocation tables of a file, each read when somebody asks for it: those of debug information are many
 * times larger than the others, and concern nobody who loads programs.
 */
export class ElfRelocations {
  readonly #label: string;
  readonly #byteOrder: ByteOrder;
  readonly #sections: readonly ElfSection[];
  readonly #symbolCount: number;
  /** Relocation tables by index of the section that they apply to. */
  readonly #tables = new Map<number, ElfSection[]>();

  /** @throws VespidError ELF_MALFORMED for a table of a section that does not exist */
  constructor(sections: readonly ElfSection[], symbolCount: number, label: string, byteOrder: ByteOrder) {
    this.#label = label;
    this.#byteOrder = byteOrder;
    this.#sections = sections;
    this.#symbolCount = symbolCount;
    for (const section of sections) {
      const { type, name, info } = section;
      if (type !== SECTION_TYPE.relocation && type !== SECTION_TYPE.relocationWithAddend) continue;
      if (sections[info] === undefined || info === 0) {
        throw this.#malformed(`${name} relocates section ${info} of ${sections.length}`);
      }
      const tables = this.#tables.get(info);
      if (tables === undefined) this.#tables.set(info, [section]);
      else tables.push(section);
    }
  }

  /**
   * What is to be relocated in one section, in the order of the file; nothing for a section without table.
   * @throws VespidError ELF_MALFORMED, ELF_UNSUPPORTED for relocations with addends (SHT_RELA)
   */
  of(sectionIndex: number): readonly ElfRelocation[] {
    const [table, second] = this.#tables.get(sectionIndex) ?? [];
    const target = this.#sections[sectionIndex];
    if (table === undefined || target === undefined) return [];
    if (second !== undefined) throw this.#malformed(`${target.name} has two relocation tables`);
    if (table.type === SECTION_TYPE.relocationWithAddend) {
      throw new VespidError(
        'ELF_UNSUPPORTED',
        `${this.#label}: ${table.name}: relocations with addends (SHT_RELA)`,
        { hint: 'the BPF psABI has the addend in the instruction; build the object with clang or GCC 14' },
      );
    }
    return this.#read(table, target);
  }

  #read(table: ElfSection, target: ElfSection): ElfRelocation[] {
    if (table.byteSize % RELOCATION_BYTES !== 0) {
      throw this.#malformed(`${table.name} of ${table.byteSize} bytes`);
    }
    const reader = new ByteReader(table.bytes, `${this.#label}: ${table.name}`, this.#byteOrder);
    const isLittleEndian = this.#byteOrder === 'little-endian';
    const relocations: ElfRelocation[] = [];
    for (let at = 0; at < table.byteSize; at += RELOCATION_BYTES) {
      const byteOffset = reader.size64(at);
      // r_info is one number: the type in its lower half, the symbol in its upper half.
      const symbolIndex = reader.u32(at + (isLittleEndian ? 12 : 8));
      if (byteOffset >= target.byteSize) {
        throw this.#malformed(`${table.name}: place ${byteOffset} is outside of ${target.name}`);
      }
      if (symbolIndex >= this.#symbolCount) {
        throw this.#malformed(`${table.name}: symbol ${symbolIndex} of ${this.#symbolCount}`);
      }
      relocations.push({ byteOffset, type: reader.u32(at + (isLittleEndian ? 8 : 12)), symbolIndex });
    }
    return relocations;
  }

  #malformed(message: string): VespidError {
    return new VespidError('ELF_MALFORMED', `${this.#label}: ${message}`, {
      hint: 'the file is damaged or is not an object that a BPF compiler wrote',
    });
  }
}

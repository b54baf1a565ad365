import { VespidError } from '../../errors/index.js';
import { VARIABLE_LINKAGE } from '../btf/btf-format.js';
import type { Btf } from '../btf/btf-reader.js';
import { SECTION_TYPE } from '../elf/elf-format.js';
import type { ElfFile, ElfSection } from '../elf/elf-reader.js';

/** A section of global variables. The loader makes an array map with one value, the section's bytes, of it. */
export interface DataSection {
  /** `.rodata`, `.data`, `.bss`, or one of those with a suffix (`.rodata.str1.1`). */
  readonly name: string;
  /** Whether programs may write to it; the map of one that is not writable is frozen before they are loaded. */
  readonly isWritable: boolean;
  /** Whether it holds a variable that is not static: libbpf makes such maps mappable (BPF_F_MMAPABLE). */
  readonly isMappable: boolean;
  readonly bytes: Uint8Array;
  /** Its BTF type of kind data-section, 0 if there is none (string literals). */
  readonly typeId: number;
  readonly variables: readonly DataVariable[];
}

export interface DataVariable {
  readonly name: string;
  /** Visible outside of its source file: neither static nor hidden. */
  readonly isGlobal: boolean;
  readonly byteOffset: number;
  readonly byteSize: number;
  readonly typeId: number;
}

/** Each becomes a map, and a program may use 64 of them (MAX_USED_MAPS of include/linux/bpf.h). */
const MAX_DATA_SECTIONS = 64;

export function isDataSectionName(name: string): boolean {
  return /^\.(rodata|data|bss)(\.|$)/.test(name);
}

/**
 * The sections of global variables that have bytes.
 * @throws VespidError OBJECT_UNSUPPORTED for more than a program can use, OBJECT_MALFORMED
 */
export function readDataSections(elf: ElfFile, btf: Btf | undefined): DataSection[] {
  const sections = elf.sections.filter((section) => isDataSectionName(section.name) && section.byteSize > 0);
  const names = new Set(sections.map((section) => section.name));
  if (sections.length > MAX_DATA_SECTIONS) {
    throw new VespidError(
      'OBJECT_UNSUPPORTED',
      `${elf.label}: ${sections.length} data sections, limit ${MAX_DATA_SECTIONS}`,
    );
  }
  if (names.size !== sections.length) {
    throw new VespidError('OBJECT_MALFORMED', `${elf.label}: two data sections of one name`);
  }
  return sections.map((section) => readDataSection(elf, section, btf));
}

/** Relocations in data are passed over, as libbpf does: nobody writes an address there before a program runs. */
function readDataSection(elf: ElfFile, section: ElfSection, btf: Btf | undefined): DataSection {
  const typeId = btf?.idsByName(section.name, 'data-section')[0] ?? 0;
  const variables = readVariables(elf, section, btf, typeId);
  return {
    name: section.name,
    isWritable: !section.name.startsWith('.rodata'),
    isMappable: variables.some((variable) => variable.isGlobal),
    bytes: sectionContent(section),
    typeId,
    variables,
  };
}

/** A copy of what is in the file, or zeros. */
export function sectionContent(section: ElfSection): Uint8Array {
  return section.type === SECTION_TYPE.noBits ? new Uint8Array(section.byteSize) : section.bytes.slice();
}

/**
 * The variables that a BTF data section describes.
 * @param typeId of it, 0 if there is none
 * @throws VespidError OBJECT_MALFORMED
 */
export function readVariables(
  elf: ElfFile,
  section: ElfSection,
  btf: Btf | undefined,
  typeId: number,
): DataVariable[] {
  const type = btf === undefined || typeId === 0 ? undefined : btf.type(typeId);
  if (btf === undefined || type?.kind !== 'data-section') return [];
  return type.variables.flatMap(({ typeId: variableId, byteOffset, byteSize }) => {
    const variable = btf.type(variableId);
    if (variable.kind !== 'variable' || variable.linkage === VARIABLE_LINKAGE.extern) return [];
    const { name, linkage } = variable;
    if (byteOffset + byteSize > section.byteSize) {
      throw new VespidError(
        'OBJECT_MALFORMED',
        `${elf.label}: variable ${name} ends at ${byteOffset + byteSize}, after ${section.name}`,
      );
    }
    return { name, isGlobal: linkage === VARIABLE_LINKAGE.global, byteOffset, byteSize, typeId: variableId };
  });
}

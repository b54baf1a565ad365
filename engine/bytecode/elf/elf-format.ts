/** Numbers of the ELF-64 object file format (elf(5)) and of the BPF psABI (Documentation/bpf/llvm_reloc.rst). */

export const ELF_MAGIC = 0x464c457f;
export const ELF_CLASS_64 = 2;
export const ELF_LITTLE_ENDIAN = 1;
export const ELF_BIG_ENDIAN = 2;
export const ELF_VERSION = 1;
export const ELF_TYPE_RELOCATABLE = 1;
export const ELF_MACHINE_BPF = 247;

export const FILE_HEADER_BYTES = 64;
export const SECTION_HEADER_BYTES = 64;
export const SYMBOL_BYTES = 24;
export const RELOCATION_BYTES = 16;

export const SECTION_TYPE = {
  null: 0,
  programBits: 1,
  symbolTable: 2,
  stringTable: 3,
  relocationWithAddend: 4,
  noBits: 8,
  relocation: 9,
} as const;

export const SECTION_FLAG = { write: 1, allocate: 2, executable: 4, infoLink: 0x40 } as const;

export const SYMBOL_BINDING = { local: 0, global: 1, weak: 2 } as const;
/** Of st_other: whether a linked object shows the symbol to others. */
export const SYMBOL_VISIBILITY = { default: 0, internal: 1, hidden: 2, protected: 3 } as const;
export const SYMBOL_TYPE = { none: 0, object: 1, function: 2, section: 3, file: 4 } as const;

/** A symbol that this object uses and does not define. */
export const SECTION_INDEX_UNDEFINED = 0;
/** From here on a section index is not a section but a meaning (SHN_LORESERVE). */
export const SECTION_INDEX_RESERVED = 0xff00;
/** The index did not fit into 16 bits and stands elsewhere (SHN_XINDEX). */
export const SECTION_INDEX_EXTENDED = 0xffff;

/** Relocation types of the BPF psABI. The addend is in the relocated place itself. */
export const RELOCATION_TYPE = {
  /** `ld_imm64`: address of a map, of data or of a function. */
  imm64: 1,
  /** A pointer in data. */
  abs64: 2,
  abs32: 3,
  noDynamic32: 4,
  /** `call`: distance to a function, in slots. */
  call32: 10,
} as const;

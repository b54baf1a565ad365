/**
 * What the assembler gives and the object writer takes: machine code of one function with the places where a
 * symbol or a kernel offset is still to be filled in. A "slot" is 8 bytes, the unit of RFC 9669 section 3.
 */
export interface AssembledFunction {
  readonly name: string;
  /** Little-endian instructions, a multiple of 8 bytes. */
  readonly instructions: Uint8Array;
  readonly symbolReferences: readonly SymbolReference[];
  readonly fieldReferences: readonly FieldReference[];
}

export type SymbolReference =
  /** `ld_imm64` of a map. */
  | { readonly kind: 'map'; readonly slotIndex: number; readonly map: string }
  /** `ld_imm64` of a byte in a data section (`.rodata`). */
  | {
      readonly kind: 'data';
      readonly slotIndex: number;
      readonly constant: string;
      readonly byteOffset: number;
    }
  /** `call` of another function of the object. */
  | { readonly kind: 'call'; readonly slotIndex: number; readonly target: string }
  /** `ld_imm64` of the address of another function, for a callback. */
  | { readonly kind: 'function-address'; readonly slotIndex: number; readonly target: string };

/** A CO-RE relocation: the instruction at `slotIndex` holds a fact about a field of a kernel struct. */
export interface FieldReference {
  readonly slotIndex: number;
  /** enum bpf_core_relo_kind of include/uapi/linux/bpf.h */
  readonly kind:
    | 'field-byte-offset'
    | 'field-byte-size'
    | 'field-exists'
    | 'field-left-shift'
    | 'field-right-shift';
  /** Name of a declared {@link KernelStruct}. */
  readonly struct: string;
  /** Member names from that struct inwards: `['f_path', 'dentry']`. */
  readonly path: readonly string[];
}

/** The part of a kernel type that a program touches: CO-RE matches by name, so order and gaps do not matter. */
export interface KernelStruct {
  readonly name: string;
  readonly kind: 'struct' | 'union';
  readonly members: readonly KernelMember[];
}

export interface KernelMember {
  readonly name: string;
  readonly type: KernelMemberType;
}

export type KernelMemberType =
  | { readonly kind: 'int'; readonly byteSize: 1 | 2 | 4 | 8; readonly signed: boolean }
  /** Any enum of up to 32 bits: CO-RE takes an unnamed one for every enum. */
  | { readonly kind: 'enum' }
  /** A bit-field of an unsigned int. */
  | { readonly kind: 'bits'; readonly bitCount: number }
  /** `to: null` is `void *`. */
  | { readonly kind: 'pointer'; readonly to: string | null }
  /** An embedded struct or union. */
  | { readonly kind: 'struct'; readonly name: string }
  | { readonly kind: 'array'; readonly element: KernelMemberType; readonly count: number };

/** A map that the object declares, with sizes in bytes. */
export interface MapDefinition {
  readonly name: string;
  /** enum bpf_map_type */
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
}

/** A read-only global: a struct of unsigned integers that the loader may set before the program is loaded. */
export interface ConstantDefinition {
  readonly name: string;
  readonly members: readonly { readonly name: string; readonly byteSize: 4 | 8; readonly value: bigint }[];
}

/** Everything that the object writer needs: a pure value, written in the order given. */
export interface ObjectDefinition {
  readonly license: string;
  /** Functions that the kernel calls, one each in its own section (`lsm/file_open`). */
  readonly programs: readonly { readonly section: string; readonly function: AssembledFunction }[];
  /** Static functions that the programs call, in `.text`. */
  readonly subprograms: readonly AssembledFunction[];
  readonly maps: readonly MapDefinition[];
  readonly constants: readonly ConstantDefinition[];
  readonly kernelTypes: readonly KernelStruct[];
  /** Kept in a section of its own, `.vespid`, which other loaders pass over; empty for none. */
  readonly metadata: Uint8Array;
}

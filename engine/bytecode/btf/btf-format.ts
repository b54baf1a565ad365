/** Numbers of the BPF Type Format: include/uapi/linux/btf.h and Documentation/bpf/btf.rst. */

export const BTF_MAGIC = 0xeb9f;
export const BTF_VERSION = 1;
export const BTF_HEADER_BYTES = 24;
/** `struct btf_type` without what its kind appends. */
export const TYPE_HEADER_BYTES = 12;

/** BTF_MAX_TYPE: type ids have 20 bits. */
export const MAX_TYPE_ID = 0x000f_ffff;
/** BTF_MAX_NAME_OFFSET: offsets into the strings have 24 bits. */
export const MAX_STRING_OFFSET = 0x00ff_ffff;
/** BTF_MAX_VLEN: members, parameters or values of one type. */
export const MAX_ENTRIES = 0xffff;
/**
 * Modifiers, typedefs and arrays in one chain: MAX_RESOLVE_DEPTH of kernel/bpf/btf.c. More is a cycle.
 */
export const MAX_RESOLVE_DEPTH = 32;

export const BTF_KIND = {
  void: 0,
  int: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  forward: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  function: 12,
  'function-prototype': 13,
  variable: 14,
  'data-section': 15,
  float: 16,
  'declaration-tag': 17,
  'type-tag': 18,
  enum64: 19,
} as const;

export type BtfKindName = keyof typeof BTF_KIND;

/** Names by number, in the order of BTF_KIND. */
export const BTF_KIND_NAMES = Object.keys(BTF_KIND) as BtfKindName[]; // Object.keys forgets the literal types

/** Bits of an integer's encoding. */
export const INT_ENCODING = { signed: 1, char: 2, bool: 4 } as const;

export const FUNCTION_LINKAGE = { static: 0, global: 1, extern: 2 } as const;
export const VARIABLE_LINKAGE = { static: 0, global: 1, extern: 2 } as const;

/** Bytes that follow the type header, by kind: a fixed part and a part for each entry. */
export function trailingBytes(kind: number, entryCount: number): number {
  switch (kind) {
    case BTF_KIND.int:
    case BTF_KIND.variable:
    case BTF_KIND['declaration-tag']:
      return 4;
    case BTF_KIND.array:
      return 12;
    case BTF_KIND.struct:
    case BTF_KIND.union:
    case BTF_KIND['data-section']:
    case BTF_KIND.enum64:
      return entryCount * 12;
    case BTF_KIND.enum:
    case BTF_KIND['function-prototype']:
      return entryCount * 8;
    default:
      return 0;
  }
}

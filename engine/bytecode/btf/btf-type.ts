/**
 * One BTF type as a value. Other types are named by id; id 0 is `void`. Anonymous types have the name `''`.
 */
export type BtfType =
  | { readonly kind: 'void' }
  | BtfInt
  | { readonly kind: 'pointer'; readonly typeId: number }
  | BtfArray
  | BtfComposite
  | BtfEnum
  | { readonly kind: 'forward'; readonly name: string; readonly isUnion: boolean }
  | { readonly kind: 'typedef'; readonly name: string; readonly typeId: number }
  | { readonly kind: 'volatile' | 'const' | 'restrict'; readonly typeId: number }
  /** `linkage`: see FUNCTION_LINKAGE; `typeId` is the prototype. */
  | { readonly kind: 'function'; readonly name: string; readonly typeId: number; readonly linkage: number }
  | BtfFunctionPrototype
  /** `linkage`: see VARIABLE_LINKAGE */
  | { readonly kind: 'variable'; readonly name: string; readonly typeId: number; readonly linkage: number }
  | BtfDataSection
  | { readonly kind: 'float'; readonly name: string; readonly byteSize: number }
  | BtfDeclarationTag
  /** `isAttribute`: the name is a GNU attribute and not a `btf_type_tag` (kind_flag, kernel 6.15). */
  | {
      readonly kind: 'type-tag';
      readonly name: string;
      readonly typeId: number;
      readonly isAttribute: boolean;
    };

export interface BtfInt {
  readonly kind: 'int';
  readonly name: string;
  readonly byteSize: number;
  /** See INT_ENCODING. */
  readonly encoding: number;
  /** Where the value begins in its bytes: not 0 only in a bit field of an old compiler. */
  readonly bitOffset: number;
  readonly bitSize: number;
}

export interface BtfArray {
  readonly kind: 'array';
  readonly elementTypeId: number;
  readonly indexTypeId: number;
  readonly count: number;
}

export interface BtfComposite {
  readonly kind: 'struct' | 'union';
  readonly name: string;
  readonly byteSize: number;
  readonly members: readonly BtfMember[];
}

export interface BtfMember {
  readonly name: string;
  readonly typeId: number;
  readonly bitOffset: number;
  /** Not 0 for a bit field. */
  readonly bitFieldSize: number;
}

export interface BtfEnum {
  readonly kind: 'enum' | 'enum64';
  readonly name: string;
  readonly byteSize: number;
  readonly isSigned: boolean;
  readonly values: readonly { readonly name: string; readonly value: bigint }[];
}

export interface BtfFunctionPrototype {
  readonly kind: 'function-prototype';
  readonly returnTypeId: number;
  /** A last parameter of type 0 without a name is `...`. */
  readonly parameters: readonly { readonly name: string; readonly typeId: number }[];
}

export interface BtfDataSection {
  readonly kind: 'data-section';
  readonly name: string;
  /** 0 in a compiler's output: the size is then the ELF section's. */
  readonly byteSize: number;
  readonly variables: readonly BtfSectionVariable[];
}

export interface BtfSectionVariable {
  readonly typeId: number;
  readonly byteOffset: number;
  readonly byteSize: number;
}

export interface BtfDeclarationTag {
  readonly kind: 'declaration-tag';
  readonly name: string;
  readonly typeId: number;
  /** Index of the member or parameter that it is on, -1 for the whole. */
  readonly componentIndex: number;
  /** As for a type tag. */
  readonly isAttribute: boolean;
}

export type BtfKind = BtfType['kind'];

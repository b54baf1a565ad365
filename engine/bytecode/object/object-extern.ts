/**
 * Something that the object names and does not hold. Type ids are of the object's BTF. Weak ones may be
 * missing: their value, address or function is then 0.
 */
export type ObjectExtern = KconfigExtern | VariableExtern | KfuncExtern;

/** A value of the kernel's configuration (`__kconfig`), or one of libbpf's own of that form (`LINUX_…`). */
export interface KconfigExtern {
  readonly kind: 'kconfig';
  readonly name: string;
  readonly isWeak: boolean;
  readonly typeId: number;
  /** Place in the section of {@link ObjectFile.kconfigByteSize} bytes that the loader fills. */
  readonly byteOffset: number;
  readonly byteSize: number;
  readonly value: 'bool' | 'char' | 'integer' | 'tristate' | 'string';
  /** Of an integer or a char. */
  readonly isSigned: boolean;
}

/** A variable of the kernel (`__ksym`). */
export interface VariableExtern {
  readonly kind: 'variable';
  readonly name: string;
  readonly isWeak: boolean;
  /** Its type, modifiers skipped; 0 for a symbol without type (`extern const void x __ksym`): kallsyms has it. */
  readonly typeId: number;
}

/** A function of the kernel (`__ksym`); instructions call it, or ask with its address whether it is there. */
export interface KfuncExtern {
  readonly kind: 'kfunc';
  readonly name: string;
  readonly isWeak: boolean;
  /** Of kind function; 0 if the object has no BTF of it. */
  readonly typeId: number;
}

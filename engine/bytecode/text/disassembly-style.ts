/**
 * `llvm` is what `llvm-objdump -d` prints and llvm-mc reads; `kernel` is what the kernel's verifier log and
 * `bpftool prog dump xlated` print (kernel/bpf/disasm.c), each line with its opcode in parentheses.
 */
export const DISASSEMBLY_STYLES = ['llvm', 'kernel'] as const;
export type DisassemblyStyle = (typeof DISASSEMBLY_STYLES)[number];

/** Something that an instruction refers to by name instead of by number. */
export interface NamedReference {
  /** `data` is a byte of a map of global variables, `variable` one of the kernel's or of its configuration. */
  readonly kind: 'map' | 'data' | 'function' | 'kfunc' | 'variable';
  readonly name: string;
  /** Into what it names; 0 for all but `data` and `variable`. */
  readonly byteOffset: number;
}

export interface FormOptions {
  /** Write `w1` in loads and stores of at most 32 bits, as llvm-objdump does from `--mcpu=v3`. Only `llvm`. */
  readonly halfRegisters?: boolean;
  /** `call bpf_map_lookup_elem#1` (as always in the kernel's form) and not `call 0x1`; true if left out. */
  readonly helperNames?: boolean;
  /** What this instruction refers to. */
  readonly reference?: NamedReference | undefined;
}

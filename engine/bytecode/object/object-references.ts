import type { Btf } from '../btf/btf-reader.js';
import type { ElfFile } from '../elf/elf-reader.js';
import type { ElfRelocation } from '../elf/elf-relocations.js';
import { exceptionCallbackNames } from './exception-callbacks.js';
import { FunctionResolver, type ReferenceTargets } from './function-resolver.js';
import type { BareFunction } from './object-functions.js';
import { within } from './sorted-places.js';

/** One function of an object. All slot indexes count from its own start. */
export interface ObjectFunction extends BareFunction {
  /** What its instructions refer to, in order. */
  readonly references: readonly ObjectReference[];
  /** Of a program that may throw (`__exception_cb`): what the kernel calls then. */
  readonly exceptionCallback: ObjectFunction | undefined;
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
  | { readonly kind: 'kconfig' | 'arena'; readonly slotIndex: number; readonly byteOffset: number }
  /** Something that nothing can be made of; a program that reaches it is not linked. */
  | { readonly kind: 'invalid'; readonly slotIndex: number; readonly reason: string };

/** The functions of an object, in order of section and place. */
export interface ObjectFunctions {
  readonly all: readonly ObjectFunction[];
  /** The function that begins at a place. */
  readonly at: (sectionIndex: number, byteOffset: number) => ObjectFunction | undefined;
}

/** An {@link ObjectFunction} while functions are tied to one another. */
type FunctionDraft = BareFunction & {
  references: ObjectReference[];
  exceptionCallback: ObjectFunction | undefined;
};

/**
 * Gives every function the references of its instructions, from relocations and from calls that the compiler
 * resolved itself (Documentation/bpf/llvm_reloc.rst). The addend of a relocation is in the instruction.
 * @param bareFunctions in order of section and place
 * @throws VespidError OBJECT_MALFORMED, OBJECT_UNSUPPORTED
 */
export function resolveReferences(
  elf: ElfFile,
  bareFunctions: readonly BareFunction[],
  targets: ReferenceTargets,
  btf: Btf | undefined,
): ObjectFunctions {
  const functions = bareFunctions.map(
    (bare): FunctionDraft => ({ ...bare, references: [], exceptionCallback: undefined }),
  );
  const bySection = new Map<number, Map<number, ObjectFunction>>();
  for (const f of functions) {
    const places = bySection.get(f.sectionIndex);
    if (places === undefined) bySection.set(f.sectionIndex, new Map([[f.byteOffset, f]]));
    else places.set(f.byteOffset, f);
  }
  const at = (sectionIndex: number, byteOffset: number) => bySection.get(sectionIndex)?.get(byteOffset);
  const relocations = new Map<number, readonly ElfRelocation[]>();
  let before: FunctionDraft | undefined;
  for (const f of functions) {
    if (before?.sectionIndex === f.sectionIndex && before.byteOffset === f.byteOffset) {
      // Another name for the same code.
      f.references = before.references;
      continue;
    }
    const sorted = relocations.get(f.sectionIndex) ?? sortedRelocations(elf, f.sectionIndex);
    relocations.set(f.sectionIndex, sorted);
    const end = f.byteOffset + f.instructions.byteLength;
    f.references = new FunctionResolver(elf, f, targets, at).resolve(within(sorted, f.byteOffset, end));
    before = f;
  }
  assignExceptionCallbacks(functions, btf);
  return { all: functions, at };
}

function sortedRelocations(elf: ElfFile, sectionIndex: number): readonly ElfRelocation[] {
  return [...elf.relocations.of(sectionIndex)].sort((a, b) => a.byteOffset - b.byteOffset);
}

function assignExceptionCallbacks(functions: readonly FunctionDraft[], btf: Btf | undefined): void {
  const names = exceptionCallbackNames(btf);
  if (names.size === 0) return;
  const candidates = new Map(
    functions
      .filter((f) => f.section === '.text' && !f.isHidden && f.linkage === 'global')
      .map((f) => [f.name, f]),
  );
  for (const f of functions) {
    const name = names.get(f.typeId);
    if (name === undefined) continue;
    f.exceptionCallback = candidates.get(name);
    if (f.exceptionCallback !== undefined) continue;
    const reason = `its exception callback ${name} is not a global function of .text`;
    f.references = [{ kind: 'invalid', slotIndex: 0, reason }, ...f.references];
  }
}

import { essentialName } from '../btf/essential-name.js';
import { InstructionSlots } from '../instruction-slots.js';
import { SLOT_BYTES } from '../isa.js';
import { linkProgram } from './link.js';
import type { ObjectFile } from './object-file.js';
import type { ObjectFunction } from './object-references.js';
import { parseSectionName, type SectionMeaning } from './section-name.js';

/** What can be said of a program from its object alone, on any machine: what a signature states about it. */
export interface ProgramFacts extends SectionMeaning {
  readonly name: string;
  readonly section: string;
  readonly license: string;
  /** Slots of the program with its subprograms: what the kernel counts. */
  readonly instructionCount: number;
  /** Ids of the helpers it calls (`___BPF_FUNC_MAPPER`), ascending. */
  readonly helperIds: readonly number[];
  /** Names of the kernel functions it calls, as the kernel has them (without `___form`), sorted. */
  readonly kfuncs: readonly string[];
  /** Names of the maps it refers to, sorted. */
  readonly maps: readonly string[];
  /** Data sections it refers to, sorted. */
  readonly dataSections: readonly string[];
  /** Names in the kernel of the variables that it reads, or functions that it asks for, sorted. */
  readonly kernelSymbols: readonly string[];
  readonly subprograms: readonly string[];
  /** How many of its instructions a loader changes to fit a kernel's types. */
  readonly coreRelocationCount: number;
  /** How many source line records go with it. */
  readonly lineCount: number;
  /** The linked instructions before relocation, over which the caller takes its digest. */
  readonly instructions: Uint8Array;
}

/**
 * @throws VespidError OBJECT_SECTION_UNKNOWN and those of {@link linkProgram}
 */
export function programFacts(object: ObjectFile, program: ObjectFunction): ProgramFacts {
  const linked = linkProgram(object, program);
  return {
    ...parseSectionName(program.section),
    name: program.name,
    section: program.section,
    license: object.license,
    instructionCount: linked.instructions.byteLength / SLOT_BYTES,
    helperIds: helpersCalled(linked.instructions, `${object.name}: ${program.name}`),
    kfuncs: distinct(linked.kfuncReferences.map((reference) => essentialName(reference.name))),
    maps: distinct([
      ...linked.mapReferences.map((reference) => reference.map),
      ...(linked.arenaReferences.length > 0 && object.arena !== undefined ? [object.arena.mapName] : []),
    ]),
    dataSections: distinct(linked.dataReferences.map((reference) => reference.section)),
    kernelSymbols: kernelNames(object, distinct(linked.externReferences.map((reference) => reference.name))),
    subprograms: linked.subprograms,
    coreRelocationCount: linked.coreRelocations.length,
    lineCount: linked.lines.length,
    instructions: linked.instructions,
  };
}

/** Objects declare one function in several forms as `name___form`; a variable has the one name. */
function kernelNames(object: ObjectFile, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const functions = new Set(object.externs.filter(({ kind }) => kind === 'kfunc').map(({ name }) => name));
  return distinct(names.map((name) => (functions.has(name) ? essentialName(name) : name)));
}

/** A call whose source register is 0 is one of a helper (RFC 9669, section 4.3.1). */
function helpersCalled(instructions: Uint8Array, label: string): number[] {
  const slots = new InstructionSlots(instructions, label);
  const helperIds = new Set<number>();
  for (const slotIndex of slots.starts()) {
    if (slots.isCall(slotIndex) && slots.sourceRegister(slotIndex) === 0) {
      helperIds.add(slots.immediate(slotIndex));
    }
  }
  return [...helperIds].sort((a, b) => a - b);
}

function distinct(names: readonly string[]): string[] {
  // Code unit order: the same on every machine, unlike a locale's.
  return [...new Set(names)].sort((a, b) => (a < b ? -1 : Number(a > b)));
}

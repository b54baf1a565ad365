import { VespidError } from '../../errors/index.js';
import { InstructionSlots } from '../instruction-slots.js';
import { SLOT_BYTES } from '../isa.js';
import { type LinkedReferences, linkReferences, type PlacedFunction } from './linked-references.js';
import type { ObjectFile } from './object-file.js';
import { MAX_PROGRAM_SLOTS, type PlacedCoreRelocation } from './object-functions.js';
import type { ObjectFunction } from './object-references.js';
import type { SourceLine } from './source-line.js';

/** The kernel's BPF_MAX_SUBPROGS, the program itself included. */
export const MAX_FUNCTIONS = 256;

/** A program with the functions that it reaches, as one run of instructions. Slot indexes count from its start. */
export interface LinkedProgram extends LinkedReferences {
  readonly name: string;
  readonly section: string;
  /** Name of the object, for messages. */
  readonly objectName: string;
  /** Calls and callback addresses are final; maps, data and CO-RE are not. */
  readonly instructions: Uint8Array;
  readonly coreRelocations: readonly PlacedCoreRelocation[];
  /** For BPF_PROG_LOAD's func_info: one of every function, or none at all if the object does not say. */
  readonly functionInfo: readonly { readonly slotIndex: number; readonly typeId: number }[];
  /** For line_info: those of all functions, or none if one has none. */
  readonly lines: readonly SourceLine[];
  /** In the order of their instructions. */
  readonly subprograms: readonly string[];
}

/**
 * Puts the functions that a program reaches behind it, each once, in the order in which they are first called,
 * callees before the next call (libbpf's order, so that the kernel computes the same tag), and points calls
 * and callback addresses at them.
 * @throws VespidError OBJECT_MALFORMED for more code than the kernel takes, or a reference that leads nowhere
 */
export function linkProgram(object: ObjectFile, program: ObjectFunction): LinkedProgram {
  const placed = placeFunctions(object, program);
  const label = `${object.name}: ${program.name}`;
  const slots = new InstructionSlots(concatenate(placed.map((p) => p.function.instructions)), label);
  const references = linkReferences(slots, placed, label);
  // The kernel takes types and lines only if every function has a type, and begins with a line.
  const hasAllTypes = placed.every((p) => p.function.typeId !== 0);
  const hasAllLines = placed.every((p) => p.function.lines[0]?.slotIndex === 0);
  return {
    name: program.name,
    section: program.section,
    objectName: object.name,
    instructions: slots.bytes,
    ...references,
    coreRelocations: placed.flatMap((p) => shiftedRelocations(p)),
    functionInfo: hasAllTypes
      ? placed.map((p) => ({ slotIndex: p.slotIndex, typeId: p.function.typeId }))
      : [],
    lines: hasAllLines ? placed.flatMap((p) => shiftedLines(p)) : [],
    subprograms: placed.slice(1).map((p) => p.function.name),
  };
}

function placeFunctions(object: ObjectFile, program: ObjectFunction): PlacedFunction[] {
  const placed: PlacedFunction[] = [];
  const seen = new Set<ObjectFunction>();
  let slotCount = 0;
  // Depth is bounded by MAX_FUNCTIONS, as every level places a function.
  const place = (current: ObjectFunction): void => {
    seen.add(current);
    placed.push({ function: current, slotIndex: slotCount });
    slotCount += current.instructions.byteLength / SLOT_BYTES;
    if (placed.length > MAX_FUNCTIONS || slotCount > MAX_PROGRAM_SLOTS) {
      throw new VespidError(
        'OBJECT_MALFORMED',
        `${object.name}: ${program.name}: more than ${MAX_FUNCTIONS} functions or ${MAX_PROGRAM_SLOTS} slots`,
      );
    }
    for (const reference of current.references) {
      if (reference.kind !== 'call' && reference.kind !== 'function-address') continue;
      if (!seen.has(reference.target)) place(reference.target);
    }
  };
  place(program);
  // Nothing calls it: the kernel finds it by the tag in the BTF, and expects it in the program.
  const callback = program.exceptionCallback;
  if (callback !== undefined && !seen.has(callback)) place(callback);
  return placed;
}

/** The function's records as they are if it stands first, as most do: copies cost more than all the rest. */
function shiftedRelocations({ function: f, slotIndex }: PlacedFunction): readonly PlacedCoreRelocation[] {
  if (slotIndex === 0) return f.coreRelocations;
  return f.coreRelocations.map((record) => ({ ...record, slotIndex: record.slotIndex + slotIndex }));
}

function shiftedLines({ function: f, slotIndex }: PlacedFunction): readonly SourceLine[] {
  return slotIndex === 0 ? f.lines : f.lines.map((line) => line.shiftedBy(slotIndex));
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

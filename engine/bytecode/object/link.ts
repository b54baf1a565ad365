import { VespidError } from '../../errors/index.js';
import { InstructionSlots } from '../instruction-slots.js';
import { PSEUDO, PSEUDO_CALL, SLOT_BYTES } from '../isa.js';
import type { ObjectFile } from './object-file.js';
import { MAX_PROGRAM_SLOTS, type PlacedCoreRelocation } from './object-functions.js';
import type { ObjectFunction } from './object-references.js';
import type { SourceLine } from './source-line.js';

/** The kernel's BPF_MAX_SUBPROGS, the program itself included. */
export const MAX_FUNCTIONS = 256;

/** BPF_PSEUDO_KFUNC_CALL of include/uapi/linux/bpf.h: a call by BTF id. */
const PSEUDO_KFUNC_CALL = 2;

/** A program with the functions that it reaches, as one run of instructions. Slot indexes count from its start. */
export interface LinkedProgram {
  readonly name: string;
  readonly section: string;
  /** Name of the object, for messages. */
  readonly objectName: string;
  /** Calls and callback addresses are final; maps, data and CO-RE are not. */
  readonly instructions: Uint8Array;
  readonly mapReferences: readonly { readonly slotIndex: number; readonly map: string }[];
  readonly dataReferences: readonly {
    readonly slotIndex: number;
    readonly section: string;
    readonly byteOffset: number;
  }[];
  /** Calls of kernel functions: the loader puts in their BTF ids. */
  readonly kfuncReferences: readonly { readonly slotIndex: number; readonly name: string }[];
  /** Addresses of kernel variables and functions: {@link ObjectFile.externs} says which of the two it is. */
  readonly externReferences: readonly { readonly slotIndex: number; readonly name: string }[];
  /** Bytes of the section of configuration values. */
  readonly kconfigReferences: readonly { readonly slotIndex: number; readonly byteOffset: number }[];
  /** Bytes of the object's arena. */
  readonly arenaReferences: readonly { readonly slotIndex: number; readonly byteOffset: number }[];
  readonly coreRelocations: readonly PlacedCoreRelocation[];
  /** For BPF_PROG_LOAD's func_info: one of every function, or none at all if the object does not say. */
  readonly functionInfo: readonly { readonly slotIndex: number; readonly typeId: number }[];
  /** For line_info: those of all functions, or none if one has none. */
  readonly lines: readonly SourceLine[];
  /** In the order of their instructions. */
  readonly subprograms: readonly string[];
}

interface PlacedFunction {
  readonly function: ObjectFunction;
  readonly slotIndex: number;
}

/**
 * Puts the functions that a program reaches behind it, each once, in the order in which they are first called,
 * callees before the next call (libbpf's order, so that the kernel computes the same tag), and points calls
 * and callback addresses at them.
 * @throws VespidError OBJECT_MALFORMED for more code than the kernel takes, or a reference that leads nowhere
 */
export function linkProgram(object: ObjectFile, program: ObjectFunction): LinkedProgram {
  const placed = placeFunctions(object, program);
  const starts = new Map(placed.map((p) => [p.function, p.slotIndex]));
  const slots = new InstructionSlots(
    concatenate(placed.map((p) => p.function.instructions)),
    `${object.name}: ${program.name}`,
  );
  const linked = {
    mapReferences: [] as { slotIndex: number; map: string }[],
    dataReferences: [] as { slotIndex: number; section: string; byteOffset: number }[],
    kfuncReferences: [] as { slotIndex: number; name: string }[],
    externReferences: [] as { slotIndex: number; name: string }[],
    kconfigReferences: [] as { slotIndex: number; byteOffset: number }[],
    arenaReferences: [] as { slotIndex: number; byteOffset: number }[],
  };
  for (const { function: caller, slotIndex: base } of placed) {
    for (const reference of caller.references) {
      const slotIndex = base + reference.slotIndex;
      switch (reference.kind) {
        case 'map':
          linked.mapReferences.push({ slotIndex, map: reference.map });
          break;
        case 'data':
          linked.dataReferences.push({
            slotIndex,
            section: reference.section,
            byteOffset: reference.byteOffset,
          });
          break;
        case 'kfunc':
          linked.kfuncReferences.push({ slotIndex, name: reference.name });
          // The compiler's own mark would make it a call of the instruction itself.
          slots.setSourceRegister(slotIndex, PSEUDO_KFUNC_CALL);
          slots.setImmediate(slotIndex, 0);
          break;
        case 'call':
        case 'function-address':
          pointAt(slots, slotIndex, reference.kind, starts.get(reference.target) ?? 0);
          break;
        case 'extern':
          linked.externReferences.push({ slotIndex, name: reference.name });
          break;
        case 'kconfig':
          linked.kconfigReferences.push({ slotIndex, byteOffset: reference.byteOffset });
          break;
        case 'invalid':
          throw malformed(
            object,
            program,
            `${caller.name}, instruction ${reference.slotIndex}: ${reference.reason}`,
          );
        case 'arena':
          linked.arenaReferences.push({ slotIndex, byteOffset: reference.byteOffset });
          break;
      }
    }
  }
  // The kernel takes lines only if every function begins with one.
  const hasAllLines = placed.every((p) => p.function.lines[0]?.slotIndex === 0);
  const hasAllTypes = placed.every((p) => p.function.typeId !== 0);
  return {
    name: program.name,
    section: program.section,
    objectName: object.name,
    instructions: slots.bytes,
    ...linked,
    coreRelocations: shifted(placed, (f) => f.coreRelocations),
    functionInfo: hasAllTypes
      ? placed.map((p) => ({ slotIndex: p.slotIndex, typeId: p.function.typeId }))
      : [],
    lines: hasAllLines
      ? placed.flatMap((p) => p.function.lines.map((line) => line.shiftedBy(p.slotIndex)))
      : [],
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
      throw malformed(object, program, `more than ${MAX_FUNCTIONS} functions or ${MAX_PROGRAM_SLOTS} slots`);
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

function malformed(object: ObjectFile, program: ObjectFunction, message: string): VespidError {
  return new VespidError('OBJECT_MALFORMED', `${object.name}: ${program.name}: ${message}`);
}

/** Both forms count slots from the instruction after (RFC 9669, sections 4.3.1 and 5.4). */
function pointAt(
  slots: InstructionSlots,
  slotIndex: number,
  kind: 'call' | 'function-address',
  targetSlotIndex: number,
): void {
  const distance = targetSlotIndex - slotIndex - 1;
  slots.setSourceRegister(slotIndex, kind === 'call' ? PSEUDO_CALL : PSEUDO.function);
  slots.setImmediate(slotIndex, distance);
  if (kind === 'function-address') slots.setImmediate(slotIndex + 1, 0);
}

function shifted<T extends { readonly slotIndex: number }>(
  placed: readonly PlacedFunction[],
  records: (f: ObjectFunction) => readonly T[],
): T[] {
  return placed.flatMap((p) =>
    records(p.function).map((record) => ({ ...record, slotIndex: record.slotIndex + p.slotIndex })),
  );
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

import {
  Assembler,
  type ObjectFile,
  R0,
  R1,
  R6,
  R7,
  type Register,
  SLOT_BYTES,
} from '../../engine/bytecode/index.js';
import type { ObjectFunction, ObjectReference } from '../../engine/bytecode/object/object-references.js';
import {
  decodeInstructions,
  type Instruction,
  isExit,
  isJump,
  jumpTarget,
  liveRegisters,
} from './live-registers.js';

/** The writable global that a counted object has in addition. */
export const COUNTER_SECTION = '.data.executed';
/** Its members, u64 each: the count of the last run, and which runs count. */
export const COUNTER_OFFSET = { executed: 0, pidTgid: 8, contextValue: 16 } as const;
const COUNTER_BYTES = 24;

export interface CountedRuns {
  /** Byte offset in the context of the u64 that must equal the counter's `contextValue`. */
  readonly contextOffset: number;
  /** What a program returns for every other run. */
  readonly otherwise: number;
}

/**
 * The same object with instruments: every basic block adds the number of its instructions to a counter. Only runs
 * of one thread with one value in the context count, and others do nothing at all, so the count is exact whatever
 * the machine does meanwhile. Loops of `bpf_loop` and subprograms count too; `ld_imm64` is one instruction.
 */
export function countedObject(object: ObjectFile, runs: CountedRuns): ObjectFile {
  const counted = new Map<ObjectFunction, ObjectFunction>();
  const programs = new Set(object.programs);
  const liveAtEntry = new Map<ObjectFunction, number>();
  const convert = (original: ObjectFunction): ObjectFunction => {
    const known = counted.get(original);
    if (known !== undefined) return known;
    const converted = countFunction(
      original,
      convert,
      liveAtEntry,
      programs.has(original) ? runs : undefined,
    );
    counted.set(original, converted);
    return converted;
  };
  return {
    ...object,
    programs: object.programs.map(convert),
    subprograms: object.subprograms.map(convert),
    dataSections: [
      ...object.dataSections,
      {
        name: COUNTER_SECTION,
        isWritable: true,
        isMappable: false,
        bytes: new Uint8Array(COUNTER_BYTES),
        typeId: 0,
        variables: [],
      },
    ],
  };
}

function countFunction(
  original: ObjectFunction,
  convert: (target: ObjectFunction) => ObjectFunction,
  liveAtEntry: Map<ObjectFunction, number>,
  runs: CountedRuns | undefined,
): ObjectFunction {
  const code = decodeInstructions(original.instructions);
  const targets = new Map<number, ObjectFunction>();
  for (const reference of original.references) {
    if (reference.kind !== 'call' && reference.kind !== 'function-address') continue;
    convert(reference.target);
    targets.set(reference.slotIndex, reference.target);
  }
  const live = liveRegisters(code, (slotIndex) => {
    const target = targets.get(slotIndex);
    // Only R1 to R5 pass into a function.
    return (target === undefined ? 0 : (liveAtEntry.get(target) ?? 0)) & 0b11_1110;
  });
  liveAtEntry.set(original, live.get(0) ?? 0);

  const writer = new CodeWriter();
  if (runs !== undefined) writer.instrument(guard(runs));
  for (const { start, instructions } of basicBlocks(code)) {
    const [address, amount] = freeRegisters(live.get(start) ?? 0, original.name);
    writer.enterBlock(start);
    writer.instrument(
      new Assembler('count')
        .loadConstant(address, COUNTER_SECTION, COUNTER_OFFSET.executed)
        .moveImmediate(amount, instructions.length)
        .atomicAdd(8, address, 0, amount),
    );
    for (const instruction of instructions) writer.copy(instruction, original.instructions);
  }
  return {
    ...original,
    instructions: writer.finish(code),
    references: [
      ...writer.dataReferences,
      ...original.references.map((reference): ObjectReference => {
        const moved = { ...reference, slotIndex: writer.placeOf(reference.slotIndex) };
        return 'target' in moved ? { ...moved, target: convert(moved.target) } : moved;
      }),
    ],
    coreRelocations: original.coreRelocations.map((relocation) => ({
      ...relocation,
      slotIndex: writer.placeOf(relocation.slotIndex),
    })),
    lines: [],
  };
}

interface BasicBlock {
  readonly start: number;
  readonly instructions: readonly Instruction[];
}

/** A block starts at the first instruction, at every target of a jump and after every jump or exit. */
function basicBlocks(code: readonly Instruction[]): BasicBlock[] {
  const starts = new Set([0, ...code.filter(isJump).map(jumpTarget)]);
  const blocks: { start: number; instructions: Instruction[] }[] = [];
  let isNew = true;
  for (const instruction of code) {
    if (isNew || starts.has(instruction.slotIndex)) {
      blocks.push({ start: instruction.slotIndex, instructions: [] });
    }
    blocks.at(-1)?.instructions.push(instruction);
    isNew = isJump(instruction) || isExit(instruction);
  }
  return blocks;
}

function freeRegisters(live: number, functionName: string): [Register, Register] {
  const registers: readonly Register[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const [first, second] = registers.filter((register) => (live & (1 << register)) === 0);
  if (first === undefined || second === undefined)
    throw new Error(`${functionName}: no two registers are free`);
  return [first, second];
}

/** Before a program: every run that is not wanted ends here, a wanted one sets the count to zero. */
function guard({ contextOffset, otherwise }: CountedRuns): Assembler {
  const assembler = new Assembler('guard');
  const other = assembler.label('other');
  const wanted = assembler.label('wanted');
  return assembler
    .move(R6, R1)
    .callHelper('get_current_pid_tgid')
    .loadConstant(R7, COUNTER_SECTION, 0)
    .load(8, R1, R7, COUNTER_OFFSET.pidTgid)
    .jumpIf('!=', R0, R1, other)
    .load(8, R1, R6, contextOffset)
    .load(8, R0, R7, COUNTER_OFFSET.contextValue)
    .jumpIf('!=', R1, R0, other)
    .moveImmediate(R1, 0)
    .store(8, R7, COUNTER_OFFSET.executed, R1)
    .move(R1, R6)
    .jump(wanted)
    .place(other)
    .moveImmediate(R0, otherwise)
    .exit()
    .place(wanted);
}

/** Appends old and new code, and knows where the old code has gone. */
class CodeWriter {
  readonly dataReferences: ObjectReference[] = [];
  readonly #chunks: Uint8Array[] = [];
  #slotCount = 0;
  /** By old slot: where a jump to it must go, and where the instruction itself is. */
  readonly #entries = new Map<number, number>();
  readonly #places = new Map<number, number>();

  enterBlock(start: number): void {
    this.#entries.set(start, this.#slotCount);
  }

  instrument(assembler: Assembler): void {
    const { instructions, symbolReferences } = assembler.finish();
    for (const reference of symbolReferences) {
      if (reference.kind !== 'data') continue;
      const slotIndex = this.#slotCount + reference.slotIndex;
      const { byteOffset } = reference;
      this.dataReferences.push({ kind: 'data', slotIndex, section: COUNTER_SECTION, byteOffset });
    }
    this.#append(instructions);
  }

  copy(instruction: Instruction, from: Uint8Array): void {
    const { slotIndex, slots } = instruction;
    this.#places.set(slotIndex, this.#slotCount);
    this.#append(from.slice(slotIndex * SLOT_BYTES, (slotIndex + slots) * SLOT_BYTES));
  }

  placeOf(oldSlotIndex: number): number {
    const place = this.#places.get(oldSlotIndex);
    if (place === undefined) throw new Error(`no instruction at slot ${oldSlotIndex}`);
    return place;
  }

  /** The code with every jump pointed at the new place of its block. */
  finish(code: readonly Instruction[]): Uint8Array {
    const bytes = new Uint8Array(this.#slotCount * SLOT_BYTES);
    let at = 0;
    for (const chunk of this.#chunks) {
      bytes.set(chunk, at);
      at += chunk.byteLength;
    }
    const view = new DataView(bytes.buffer);
    for (const jump of code.filter(isJump)) {
      const place = this.placeOf(jump.slotIndex);
      const distance = (this.#entries.get(jumpTarget(jump)) ?? Number.NaN) - place - 1;
      if (!Number.isInteger(distance) || Math.abs(distance) > 0x7fff) {
        throw new Error(`a jump of ${distance} slots cannot be written`);
      }
      view.setInt16(place * SLOT_BYTES + 2, distance, true);
    }
    return bytes;
  }

  #append(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#slotCount += chunk.byteLength / SLOT_BYTES;
  }
}

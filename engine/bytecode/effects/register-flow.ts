import { essentialName } from '../btf/essential-name.js';
import { InstructionSlots, LOAD_IMM64_OPCODE } from '../instruction-slots.js';
import {
  ALU,
  ATOMIC,
  CALL,
  CLASS,
  CLASS_MASK,
  EXIT,
  JA,
  MODE,
  MODE_MASK,
  OPERATION_MASK,
  PSEUDO_CALL,
  SOURCE,
} from '../isa.js';
import type { ObjectFunction } from '../object/object-references.js';
import { CONTEXT_CAST_KFUNC, runsCallback, writtenRegisters } from './harmless-calls.js';

/** What is known of a register: its one value, nothing, or that it may lead to the context of the program. */
type Value = bigint | 'unknown' | 'context';
/** R0 to R9. R10 is the frame pointer, which nothing writes. */
type Registers = Value[];

/** What a function may find: the last two are true for the whole program once they are for a part of it. */
export interface FlowAssumptions {
  /** It is the program itself, which finds its context in R1. */
  readonly isProgram: boolean;
  /** What is loaded through the context may lead to memory that the program may write to. */
  readonly leadsBeyond: boolean;
  /** Other functions find in R1 to R5 what may lead to the context. */
  readonly contextInArguments: boolean;
  /** What is loaded from memory may lead to the context. */
  readonly contextInMemory: boolean;
}

export interface FlowFacts {
  /** Results at its exits; undefined: at least one is not a constant. */
  readonly results: ReadonlySet<bigint> | undefined;
  /** Whether it may write through a pointer that may lead to the context. */
  readonly writesContext: boolean;
  readonly passesContext: boolean;
  readonly storesContext: boolean;
}

/** When nothing can be said: of code that no kernel takes, or that takes too long to follow. */
const NOTHING_KNOWN: FlowFacts = {
  results: undefined,
  writesContext: true,
  passesContext: true,
  storesContext: true,
};

/**
 * Steps for each instruction, on average. Every register changes at most twice at a place where ways meet, and
 * compilers' code needs fewer than two; the bound keeps code that was made to be slow linear.
 */
const MAX_STEPS_PER_SLOT = 8;

/** Of atomic operations: the old value goes into a register (RFC 9669, 5.3). */
const FETCH = 0x01;

/** `mov` of class alu or alu64. */
const MOVE = ALU.mov;

/**
 * Follows constants, and what is derived from the context, through the registers of one function: forward data flow
 * over all ways, none of them ruled out by a condition. Memory is not followed: what is loaded is unknown.
 *
 * Sound for code that the kernel's verifier accepts, whoever wrote it. What relocation changes is unknown.
 */
export function followRegisters(
  f: Pick<ObjectFunction, 'name' | 'instructions' | 'references' | 'coreRelocations'>,
  assumptions: FlowAssumptions,
): FlowFacts {
  return new RegisterFlow(f, assumptions).run();
}

class RegisterFlow {
  readonly #slots: InstructionSlots;
  readonly #assumptions: FlowAssumptions;
  /** Slots of instructions that a loader changes. */
  readonly #relocated: ReadonlySet<number>;
  readonly #localCalls: ReadonlySet<number>;
  /** Names of kernel functions, by the slots that call them. */
  readonly #kfuncCalls: ReadonlyMap<number, string>;
  /** What is known where ways meet, by slot. */
  readonly #known = new Map<number, Registers>();
  readonly #pending: number[] = [];
  readonly #results = new Set<bigint>();
  #hasUnknownResult = false;
  #writesContext = false;
  #passesContext = false;
  #storesContext = false;

  constructor(
    f: Pick<ObjectFunction, 'name' | 'instructions' | 'references' | 'coreRelocations'>,
    assumptions: FlowAssumptions,
  ) {
    this.#slots = new InstructionSlots(f.instructions, f.name);
    this.#assumptions = assumptions;
    this.#relocated = new Set([
      ...f.coreRelocations.map(({ slotIndex }) => slotIndex),
      ...f.references.map(({ slotIndex }) => slotIndex),
    ]);
    this.#localCalls = new Set(
      f.references.flatMap((each) => (each.kind === 'call' ? [each.slotIndex] : [])),
    );
    this.#kfuncCalls = new Map(
      f.references.flatMap((each) => (each.kind === 'kfunc' ? [[each.slotIndex, each.name] as const] : [])),
    );
  }

  run(): FlowFacts {
    const { slotCount } = this.#slots;
    let steps = MAX_STEPS_PER_SLOT * (slotCount + 1);
    this.#meet(0, this.#entry());
    for (let start = this.#pending.pop(); start !== undefined; start = this.#pending.pop()) {
      const registers = [...(this.#known.get(start) ?? [])];
      for (let slotIndex: number | undefined = start; slotIndex !== undefined; ) {
        if (slotIndex < 0 || slotIndex >= slotCount || steps-- === 0) return NOTHING_KNOWN;
        const next = this.#step(slotIndex, registers);
        // Where another way arrives too, what this one knows is only a part.
        const meets = next !== undefined && this.#known.has(next);
        if (meets) this.#meet(next, registers);
        slotIndex = meets ? undefined : next;
      }
    }
    return {
      results: this.#hasUnknownResult ? undefined : this.#results,
      writesContext: this.#writesContext,
      passesContext: this.#passesContext,
      storesContext: this.#storesContext,
    };
  }

  #entry(): Registers {
    const { isProgram, contextInArguments } = this.#assumptions;
    const registers = Array.from({ length: 10 }, (): Value => 'unknown');
    if (isProgram) registers[1] = 'context';
    else if (contextInArguments) registers.fill('context', 1, 6);
    return registers;
  }

  #meet(slotIndex: number, registers: Registers): void {
    const known = this.#known.get(slotIndex);
    if (known === undefined) {
      this.#known.set(slotIndex, [...registers]);
      this.#pending.push(slotIndex);
      return;
    }
    let changed = false;
    for (let index = 0; index < registers.length; index++) {
      const before = known[index] ?? 'unknown';
      const joined = join(before, registers[index] ?? 'unknown');
      if (joined === before) continue;
      known[index] = joined;
      changed = true;
    }
    if (changed) this.#pending.push(slotIndex);
  }

  /** Does one instruction and gives the slot of the next one; undefined after an exit or a jump. */
  #step(slotIndex: number, registers: Registers): number | undefined {
    const opcode = this.#slots.opcode(slotIndex);
    switch (opcode & CLASS_MASK) {
      case CLASS.alu32:
      case CLASS.alu64:
        this.#arithmetic(slotIndex, opcode, registers);
        return slotIndex + 1;
      case CLASS.jmp:
      case CLASS.jmp32:
        return this.#jump(slotIndex, opcode, registers);
      case CLASS.ld:
        return this.#wideOrPacket(slotIndex, opcode, registers);
      case CLASS.ldx:
        registers[this.#destination(slotIndex)] = this.#loaded(registers, this.#source(slotIndex));
        return slotIndex + 1;
      default:
        this.#store(slotIndex, opcode, registers);
        return slotIndex + 1;
    }
  }

  #arithmetic(slotIndex: number, opcode: number, registers: Registers): void {
    const destination = this.#destination(slotIndex);
    const isRegister = (opcode & SOURCE.x) !== 0;
    const source = isRegister ? valueIn(registers, this.#source(slotIndex)) : this.#immediate(slotIndex);
    const is64 = (opcode & CLASS_MASK) === CLASS.alu64;
    if ((opcode & OPERATION_MASK) === MOVE && this.#slots.offset(slotIndex) === 0) {
      registers[destination] = is64 || typeof source !== 'bigint' ? source : BigInt.asUintN(32, source);
      return;
    }
    const isContext = valueIn(registers, destination) === 'context' || source === 'context';
    registers[destination] = isContext ? 'context' : 'unknown';
  }

  #immediate(slotIndex: number): Value {
    return this.#relocated.has(slotIndex) ? 'unknown' : BigInt(this.#slots.immediate(slotIndex));
  }

  #jump(slotIndex: number, opcode: number, registers: Registers): number | undefined {
    const operation = opcode & OPERATION_MASK;
    const isNarrow = (opcode & CLASS_MASK) === CLASS.jmp32;
    const next = slotIndex + 1;
    if (operation === EXIT) {
      this.#exit(registers[0] ?? 'unknown');
      return undefined;
    }
    if (operation === CALL) {
      this.#call(slotIndex, registers);
      return next;
    }
    // `gotol` has its distance in the immediate.
    const distance =
      operation === JA && isNarrow ? this.#slots.immediate(slotIndex) : this.#slots.offset(slotIndex);
    this.#meet(next + distance, registers);
    return operation === JA ? undefined : next;
  }

  #exit(result: Value): void {
    if (typeof result === 'bigint') this.#results.add(result);
    else this.#hasUnknownResult = true;
  }

  #call(slotIndex: number, registers: Registers): void {
    const passesContext = registers.slice(1, 6).includes('context');
    if (this.#mayWriteThroughCall(slotIndex, registers, passesContext)) this.#writesContext = true;
    const isHelper = this.#slots.sourceRegister(slotIndex) === 0 && !this.#kfuncCalls.has(slotIndex);
    const isLocal = this.#localCalls.has(slotIndex) || this.#slots.sourceRegister(slotIndex) === PSEUDO_CALL;
    const isPlainHelper = isHelper && !isLocal && !runsCallback(this.#slots.immediate(slotIndex));
    if (passesContext && !isPlainHelper) this.#passesContext = true;
    const { contextInArguments, contextInMemory } = this.#assumptions;
    // A harmless helper gives memory of maps, kernel structs or numbers; a function whatever it can reach.
    const mayReturnContext = !isPlainHelper && (passesContext || contextInArguments || contextInMemory);
    registers.fill('unknown', 0, 6);
    if (mayReturnContext) registers[0] = 'context';
  }

  /** Whether a helper or a kernel function gets the context as memory to write to; of the latter none is told apart. */
  #mayWriteThroughCall(slotIndex: number, registers: Registers, passesContext: boolean): boolean {
    const kfunc = this.#kfuncCalls.get(slotIndex);
    if (kfunc !== undefined) return passesContext && essentialName(kfunc) !== CONTEXT_CAST_KFUNC;
    if (this.#localCalls.has(slotIndex) || this.#slots.sourceRegister(slotIndex) !== 0) return false;
    const written = writtenRegisters(this.#slots.immediate(slotIndex));
    return written.some((register) => registers[register] === 'context');
  }

  #wideOrPacket(slotIndex: number, opcode: number, registers: Registers): number {
    if (opcode === LOAD_IMM64_OPCODE) {
      const isNumber = this.#slots.sourceRegister(slotIndex) === 0 && !this.#relocated.has(slotIndex);
      const hasUpperHalf = slotIndex + 1 < this.#slots.slotCount;
      registers[this.#destination(slotIndex)] =
        isNumber && hasUpperHalf ? BigInt.asIntN(64, this.#slots.immediate64(slotIndex)) : 'unknown';
      return slotIndex + 2;
    }
    // A load that is not in the packet ends the function with 0 (RFC 9669, 5.6; kernel/bpf/verifier.c, BPF_LD_ABS).
    this.#exit(0n);
    registers.fill('unknown', 0, 6);
    return slotIndex + 1;
  }

  #store(slotIndex: number, opcode: number, registers: Registers): void {
    const base = valueIn(registers, this.#destination(slotIndex));
    const source = this.#source(slotIndex);
    const isRegister = (opcode & CLASS_MASK) === CLASS.stx;
    const isAtomic = isRegister && (opcode & MODE_MASK) === MODE.atomic;
    const operation = isAtomic ? this.#slots.immediate(slotIndex) : undefined;
    if (operation === ATOMIC.loadAcquire) {
      registers[this.#destination(slotIndex)] = this.#loaded(registers, source);
      return;
    }
    if (base === 'context') this.#writesContext = true;
    if (isRegister && valueIn(registers, source) === 'context') this.#storesContext = true;
    if (operation === undefined || (operation & FETCH) === 0) return;
    // The old value goes into R0 with compareExchange, else into the source.
    const fetched = this.#loaded(registers, this.#destination(slotIndex));
    registers[operation === ATOMIC.compareExchange ? 0 : source] = fetched;
  }

  #loaded(registers: Registers, base: number): Value {
    const { leadsBeyond, contextInMemory } = this.#assumptions;
    const isContext = (leadsBeyond && valueIn(registers, base) === 'context') || contextInMemory;
    return isContext ? 'context' : 'unknown';
  }

  #destination(slotIndex: number): number {
    return this.#slots.destinationRegister(slotIndex);
  }

  #source(slotIndex: number): number {
    return this.#slots.sourceRegister(slotIndex);
  }
}

/** Registers beyond R9: the frame pointer, or none that there is. */
function valueIn(registers: Registers, register: number): Value {
  return registers[register] ?? 'unknown';
}

function join(left: Value, right: Value): Value {
  if (left === right) return left;
  return left === 'context' || right === 'context' ? 'context' : 'unknown';
}

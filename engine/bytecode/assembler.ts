import { VespidError } from '../errors/index.js';
import type { AssembledFunction, FieldReference, SymbolReference } from './assembled-function.js';
import { encodeInstruction, encodeInstructions } from './instruction/encode-instructions.js';
import type { HelperName } from './instruction/helper-function.js';
import { HELPER } from './instruction/helper-functions.generated.js';
import { type Instruction, type Operand, slotCountOf, type Width } from './instruction/instruction.js';
import type { AccessBytes, AluOperation, JumpCondition, Register } from './isa.js';

/** A place in the code that jumps can name before it is placed. */
export interface Label {
  readonly name: string;
  slotIndex: number | undefined;
  isTarget: boolean;
}

/** A field of a kernel struct, by name: what CO-RE resolves when the program is loaded. */
export interface FieldPath {
  readonly struct: string;
  readonly path: readonly string[];
}

/**
 * Assembles one function. Methods are named for the operation and append one instruction each (`loadImmediate64`
 * and the symbol loads take two slots). Jumps go forward only; loops are the business of `bpf_loop`. Code that
 * nothing can reach is left out, because the kernel's verifier refuses a program that has any. Nothing is resolved
 * before {@link Assembler.finish}.
 */
export class Assembler {
  readonly #instructions: Instruction[] = [];
  #slotIndex = 0;
  readonly #jumps: { index: number; slotIndex: number; label: Label }[] = [];
  readonly #symbolReferences: SymbolReference[] = [];
  readonly #fieldReferences: FieldReference[] = [];
  /** After a jump or an exit, until a label that something jumps to. */
  #isUnreachable = false;

  constructor(readonly name: string) {}

  /** Slots so far: the index that the next instruction gets. */
  get slotIndex(): number {
    return this.#slotIndex;
  }

  label(name: string): Label {
    return { name, slotIndex: undefined, isTarget: false };
  }

  place(label: Label): this {
    if (label.slotIndex !== undefined) this.#fail(`label ${label.name} is placed twice`);
    label.slotIndex = this.slotIndex;
    if (label.isTarget) this.#isUnreachable = false;
    return this;
  }

  /** dst = src */
  move(destination: Register, source: Register): this {
    return this.alu('mov', destination, source);
  }

  /** dst = immediate, sign-extended from 32 bits. */
  moveImmediate(destination: Register, immediate: number): this {
    return this.aluImmediate('mov', destination, immediate);
  }

  /** dst (64 bits) = dst op src */
  alu(operation: AluOperation, destination: Register, source: Register): this {
    return this.#emitAlu(64, operation, destination, { kind: 'register', register: source });
  }

  aluImmediate(operation: AluOperation, destination: Register, immediate: number): this {
    return this.#emitAlu(64, operation, destination, { kind: 'immediate', value: immediate });
  }

  /** The low 32 bits of dst = dst op src; the high 32 become zero. */
  alu32(operation: AluOperation, destination: Register, source: Register): this {
    return this.#emitAlu(32, operation, destination, { kind: 'register', register: source });
  }

  /** The immediate signed or unsigned. */
  alu32Immediate(operation: AluOperation, destination: Register, immediate: number): this {
    return this.#emitAlu(32, operation, destination, { kind: 'immediate', value: immediate | 0 });
  }

  /** dst = dst in big-endian byte order: `be16`, `be32`, `be64` of RFC 9669 section 4.2. */
  toBigEndian(destination: Register, bits: 16 | 32 | 64): this {
    return this.#emit({ kind: 'to-byte-order', byteOrder: 'big-endian', bits, destination });
  }

  /** dst = *(uN *)(src + offset) */
  load(bytes: AccessBytes, destination: Register, source: Register, offset: number): this {
    return this.#emit({ kind: 'load', bytes, isSigned: false, destination, base: source, offset });
  }

  /** *(uN *)(dst + offset) = src */
  store(bytes: AccessBytes, destination: Register, offset: number, source: Register): this {
    const from: Operand = { kind: 'register', register: source };
    return this.#emit({ kind: 'store', bytes, base: destination, offset, source: from });
  }

  storeImmediate(bytes: AccessBytes, destination: Register, offset: number, immediate: number): this {
    const from: Operand = { kind: 'immediate', value: immediate };
    return this.#emit({ kind: 'store', bytes, base: destination, offset, source: from });
  }

  /** src = exchange(*(uN *)(dst + offset), src), sequentially consistent. */
  exchange(bytes: 4 | 8, destination: Register, offset: number, source: Register): this {
    return this.#emit({ kind: 'exchange', bytes, base: destination, offset, source });
  }

  /** *(uN *)(dst + offset) += src, atomically. */
  atomicAdd(bytes: 4 | 8, destination: Register, offset: number, source: Register): this {
    const place = { bytes, base: destination, offset, source };
    return this.#emit({ kind: 'atomic', operation: 'add', fetch: false, ...place });
  }

  jump(label: Label): this {
    this.#note(() => this.#jumpTo(label));
    this.#emit({ kind: 'jump', isLong: false, offset: 0 });
    this.#isUnreachable = true;
    return this;
  }

  jumpIf(condition: JumpCondition, left: Register, right: Register, label: Label): this {
    return this.#emitJumpIf(64, condition, left, { kind: 'register', register: right }, label);
  }

  /** Compares 64 bits with a sign-extended 32-bit immediate. */
  jumpIfImmediate(condition: JumpCondition, left: Register, immediate: number, label: Label): this {
    return this.#emitJumpIf(64, condition, left, { kind: 'immediate', value: immediate }, label);
  }

  /** Compares the low 32 bits; the immediate signed or unsigned. */
  jump32IfImmediate(condition: JumpCondition, left: Register, immediate: number, label: Label): this {
    return this.#emitJumpIf(32, condition, left, { kind: 'immediate', value: immediate | 0 }, label);
  }

  /** dst = a 64-bit constant, signed or unsigned; takes two slots. */
  loadImmediate64(destination: Register, value: bigint): this {
    return this.#emit({ kind: 'load-immediate64', destination, value: BigInt.asIntN(64, value) });
  }

  /** dst = address of a map. */
  loadMap(destination: Register, map: string): this {
    this.#note(() => this.#symbolReferences.push({ kind: 'map', slotIndex: this.slotIndex, map }));
    return this.loadImmediate64(destination, 0n);
  }

  /** dst = address of a byte in a read-only global. */
  loadConstant(destination: Register, constant: string, byteOffset: number): this {
    this.#note(() =>
      this.#symbolReferences.push({ kind: 'data', slotIndex: this.slotIndex, constant, byteOffset }),
    );
    return this.loadImmediate64(destination, 0n);
  }

  /** dst = address of a function of this object, for a callback. */
  loadFunction(destination: Register, target: string): this {
    this.#note(() =>
      this.#symbolReferences.push({ kind: 'function-address', slotIndex: this.slotIndex, target }),
    );
    return this.#emit({ kind: 'load-address', destination, address: { kind: 'function', offset: 0 } });
  }

  callHelper(helper: HelperName): this {
    return this.#emit({ kind: 'call-helper', helperId: HELPER[helper] });
  }

  callFunction(target: string): this {
    this.#note(() => this.#symbolReferences.push({ kind: 'call', slotIndex: this.slotIndex, target }));
    return this.#emit({ kind: 'call-local', offset: -1 });
  }

  exit(): this {
    this.#emit({ kind: 'exit' });
    this.#isUnreachable = true;
    return this;
  }

  /** dst += the byte offset of a kernel field, filled in at load. */
  addFieldOffset(destination: Register, field: FieldPath): this {
    this.#note(() =>
      this.#fieldReferences.push({ slotIndex: this.slotIndex, kind: 'field-byte-offset', ...field }),
    );
    return this.aluImmediate('add', destination, 0);
  }

  /** dst -= the byte offset of a kernel field: from a member to what contains it (container_of). */
  subtractFieldOffset(destination: Register, field: FieldPath): this {
    this.#note(() =>
      this.#fieldReferences.push({ slotIndex: this.slotIndex, kind: 'field-byte-offset', ...field }),
    );
    return this.aluImmediate('sub', destination, 0);
  }

  /** dst = *(uN *)(src + byte offset of the kernel field): src must be a pointer that the verifier knows. */
  loadField(bytes: AccessBytes, destination: Register, source: Register, field: FieldPath): this {
    this.#note(() =>
      this.#fieldReferences.push({ slotIndex: this.slotIndex, kind: 'field-byte-offset', ...field }),
    );
    return this.load(bytes, destination, source, 0);
  }

  /**
   * dst = an unsigned bit-field of at most 32 bits: the word that holds it, shifted left and right, all three
   * filled in at load (Documentation/bpf/llvm_reloc.rst, LSHIFT_U64 and RSHIFT_U64).
   */
  loadBits(destination: Register, source: Register, field: FieldPath): this {
    this.loadField(4, destination, source, field);
    this.#note(() =>
      this.#fieldReferences.push({ slotIndex: this.slotIndex, kind: 'field-left-shift', ...field }),
    );
    this.aluImmediate('lsh', destination, 0);
    this.#note(() =>
      this.#fieldReferences.push({ slotIndex: this.slotIndex, kind: 'field-right-shift', ...field }),
    );
    return this.aluImmediate('rsh', destination, 0);
  }

  /** @throws VespidError ASSEMBLER_INVALID when a label was never placed or a jump is too far. */
  finish(): AssembledFunction {
    for (const { index, slotIndex, label } of this.#jumps) {
      if (label.slotIndex === undefined) this.#fail(`label ${label.name} is never placed`);
      const jump = this.#instructions[index];
      if (jump?.kind !== 'jump' && jump?.kind !== 'jump-if') continue;
      const placed = { ...jump, offset: label.slotIndex - slotIndex - 1 };
      this.#check(placed, slotIndex);
      this.#instructions[index] = placed;
    }
    return {
      name: this.name,
      instructions: encodeInstructions(this.#instructions),
      symbolReferences: this.#symbolReferences,
      fieldReferences: this.#fieldReferences,
    };
  }

  #emitAlu(width: Width, operation: AluOperation, destination: Register, source: Operand): this {
    // `neg` has one operand; the programmatic form passes any.
    if (operation === 'neg') return this.#emit({ kind: 'negate', width, destination });
    return this.#emit({ kind: 'alu', width, operation, destination, source });
  }

  #emitJumpIf(width: Width, condition: JumpCondition, left: Register, right: Operand, label: Label): this {
    this.#note(() => this.#jumpTo(label));
    return this.#emit({ kind: 'jump-if', width, condition, left, right, offset: 0 });
  }

  #jumpTo(label: Label): void {
    if (label.slotIndex !== undefined) this.#fail(`a jump back to label ${label.name}`);
    label.isTarget = true;
    this.#jumps.push({ index: this.#instructions.length, slotIndex: this.#slotIndex, label });
  }

  /** Runs `record` when the next instruction is kept. */
  #note(record: () => void): void {
    if (!this.#isUnreachable) record();
  }

  #emit(instruction: Instruction): this {
    if (this.#isUnreachable) return this;
    this.#check(instruction, this.#slotIndex);
    this.#instructions.push(instruction);
    this.#slotIndex += slotCountOf(instruction);
    return this;
  }

  /** Encodes it for the sake of the error: at the call that is at fault, not in `finish`. */
  #check(instruction: Instruction, slotIndex: number): void {
    encodeInstruction(instruction, `${this.name}, slot ${slotIndex}`);
  }

  #fail(what: string): never {
    throw new VespidError('ASSEMBLER_INVALID', `${this.name}, slot ${this.slotIndex}: ${what}`);
  }
}

import { VespidError } from '../errors/index.js';
import type { AssembledFunction, FieldReference, SymbolReference } from './assembled-function.js';
import {
  type AccessBytes,
  ALU,
  type AluOperation,
  ATOMIC,
  CALL,
  CLASS,
  END,
  EXIT,
  HELPER,
  type HelperName,
  JA,
  JUMP,
  type JumpCondition,
  MODE,
  PSEUDO,
  PSEUDO_CALL,
  type Register,
  SIZE,
  SLOT_BYTES,
  SOURCE,
} from './isa.js';

/** A place in the code that jumps can name before it is placed. */
export interface Label {
  readonly name: string;
  slotIndex: number | undefined;
  isTarget: boolean;
}

interface Slot {
  readonly opcode: number;
  readonly destination: number;
  readonly source: number;
  offset: number;
  readonly immediate: number;
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
  readonly #slots: Slot[] = [];
  readonly #jumps: { slotIndex: number; label: Label }[] = [];
  readonly #symbolReferences: SymbolReference[] = [];
  readonly #fieldReferences: FieldReference[] = [];
  /** After a jump or an exit, until a label that something jumps to. */
  #isUnreachable = false;

  constructor(readonly name: string) {}

  /** Slots so far: the index that the next instruction gets. */
  get slotIndex(): number {
    return this.#slots.length;
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
    return this.#emit(CLASS.alu64 | SOURCE.x | ALU.mov, destination, source, 0, 0);
  }

  /** dst = immediate, sign-extended from 32 bits. */
  moveImmediate(destination: Register, immediate: number): this {
    return this.#emit(CLASS.alu64 | SOURCE.k | ALU.mov, destination, 0, 0, this.#int32(immediate));
  }

  /** dst (64 bits) = dst op src */
  alu(operation: AluOperation, destination: Register, source: Register): this {
    return this.#emit(CLASS.alu64 | SOURCE.x | ALU[operation], destination, source, 0, 0);
  }

  aluImmediate(operation: AluOperation, destination: Register, immediate: number): this {
    return this.#emit(CLASS.alu64 | SOURCE.k | ALU[operation], destination, 0, 0, this.#int32(immediate));
  }

  /** The low 32 bits of dst = dst op src; the high 32 become zero. */
  alu32(operation: AluOperation, destination: Register, source: Register): this {
    return this.#emit(CLASS.alu32 | SOURCE.x | ALU[operation], destination, source, 0, 0);
  }

  alu32Immediate(operation: AluOperation, destination: Register, immediate: number): this {
    return this.#emit(CLASS.alu32 | SOURCE.k | ALU[operation], destination, 0, 0, immediate | 0);
  }

  /** dst = dst in big-endian byte order: `be16`, `be32`, `be64` of RFC 9669 section 4.2. */
  toBigEndian(destination: Register, bits: 16 | 32 | 64): this {
    return this.#emit(CLASS.alu32 | SOURCE.x | END, destination, 0, 0, bits);
  }

  /** dst = *(uN *)(src + offset) */
  load(bytes: AccessBytes, destination: Register, source: Register, offset: number): this {
    return this.#emit(CLASS.ldx | MODE.mem | SIZE[bytes], destination, source, this.#int16(offset), 0);
  }

  /** *(uN *)(dst + offset) = src */
  store(bytes: AccessBytes, destination: Register, offset: number, source: Register): this {
    return this.#emit(CLASS.stx | MODE.mem | SIZE[bytes], destination, source, this.#int16(offset), 0);
  }

  storeImmediate(bytes: AccessBytes, destination: Register, offset: number, immediate: number): this {
    return this.#emit(
      CLASS.st | MODE.mem | SIZE[bytes],
      destination,
      0,
      this.#int16(offset),
      this.#int32(immediate),
    );
  }

  /** src = exchange(*(uN *)(dst + offset), src), sequentially consistent. */
  exchange(bytes: 4 | 8, destination: Register, offset: number, source: Register): this {
    return this.#emit(
      CLASS.stx | MODE.atomic | SIZE[bytes],
      destination,
      source,
      this.#int16(offset),
      ATOMIC.exchange,
    );
  }

  /** *(uN *)(dst + offset) += src, atomically. */
  atomicAdd(bytes: 4 | 8, destination: Register, offset: number, source: Register): this {
    return this.#emit(
      CLASS.stx | MODE.atomic | SIZE[bytes],
      destination,
      source,
      this.#int16(offset),
      ATOMIC.add,
    );
  }

  jump(label: Label): this {
    this.#note(() => this.#jumpTo(label));
    this.#emit(CLASS.jmp | JA, 0, 0, 0, 0);
    this.#isUnreachable = true;
    return this;
  }

  jumpIf(condition: JumpCondition, left: Register, right: Register, label: Label): this {
    this.#note(() => this.#jumpTo(label));
    return this.#emit(CLASS.jmp | SOURCE.x | JUMP[condition], left, right, 0, 0);
  }

  /** Compares 64 bits with a sign-extended 32-bit immediate. */
  jumpIfImmediate(condition: JumpCondition, left: Register, immediate: number, label: Label): this {
    this.#note(() => this.#jumpTo(label));
    return this.#emit(CLASS.jmp | SOURCE.k | JUMP[condition], left, 0, 0, this.#int32(immediate));
  }

  /** Compares the low 32 bits. */
  jump32IfImmediate(condition: JumpCondition, left: Register, immediate: number, label: Label): this {
    this.#note(() => this.#jumpTo(label));
    return this.#emit(CLASS.jmp32 | SOURCE.k | JUMP[condition], left, 0, 0, immediate | 0);
  }

  /** dst = a 64-bit constant; takes two slots. */
  loadImmediate64(destination: Register, value: bigint): this {
    return this.#loadWide(
      destination,
      0,
      Number(BigInt.asIntN(32, value)),
      Number(BigInt.asIntN(32, value >> 32n)),
    );
  }

  /** dst = address of a map. */
  loadMap(destination: Register, map: string): this {
    this.#note(() => this.#symbolReferences.push({ kind: 'map', slotIndex: this.slotIndex, map }));
    return this.#loadWide(destination, 0, 0, 0);
  }

  /** dst = address of a byte in a read-only global. */
  loadConstant(destination: Register, constant: string, byteOffset: number): this {
    this.#note(() =>
      this.#symbolReferences.push({ kind: 'data', slotIndex: this.slotIndex, constant, byteOffset }),
    );
    return this.#loadWide(destination, 0, 0, 0);
  }

  /** dst = address of a function of this object, for a callback. */
  loadFunction(destination: Register, target: string): this {
    this.#note(() =>
      this.#symbolReferences.push({ kind: 'function-address', slotIndex: this.slotIndex, target }),
    );
    return this.#loadWide(destination, PSEUDO.function, 0, 0);
  }

  callHelper(helper: HelperName): this {
    return this.#emit(CLASS.jmp | CALL, 0, 0, 0, HELPER[helper]);
  }

  callFunction(target: string): this {
    this.#note(() => this.#symbolReferences.push({ kind: 'call', slotIndex: this.slotIndex, target }));
    return this.#emit(CLASS.jmp | CALL, 0, PSEUDO_CALL, 0, -1);
  }

  exit(): this {
    this.#emit(CLASS.jmp | EXIT, 0, 0, 0, 0);
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
    for (const { slotIndex, label } of this.#jumps) {
      if (label.slotIndex === undefined) this.#fail(`label ${label.name} is never placed`);
      const slot = this.#slots[slotIndex];
      if (slot !== undefined) slot.offset = this.#int16(label.slotIndex - slotIndex - 1);
    }
    return {
      name: this.name,
      instructions: encodeSlots(this.#slots),
      symbolReferences: this.#symbolReferences,
      fieldReferences: this.#fieldReferences,
    };
  }

  #loadWide(destination: Register, source: number, low: number, high: number): this {
    this.#emit(CLASS.ld | MODE.imm | SIZE[8], destination, source, 0, low);
    return this.#emit(0, 0, 0, 0, high);
  }

  #jumpTo(label: Label): void {
    if (label.slotIndex !== undefined) this.#fail(`a jump back to label ${label.name}`);
    label.isTarget = true;
    this.#jumps.push({ slotIndex: this.slotIndex, label });
  }

  /** Runs `record` when the next instruction is kept. */
  #note(record: () => void): void {
    if (!this.#isUnreachable) record();
  }

  #emit(opcode: number, destination: number, source: number, offset: number, immediate: number): this {
    if (!this.#isUnreachable) this.#slots.push({ opcode, destination, source, offset, immediate });
    return this;
  }

  #int16(value: number): number {
    if (!Number.isInteger(value) || value < -0x8000 || value > 0x7fff) {
      this.#fail(`offset ${value} does not fit in 16 bits`);
    }
    return value;
  }

  #int32(value: number): number {
    if (!Number.isInteger(value) || value < -0x8000_0000 || value > 0x7fff_ffff) {
      this.#fail(`immediate ${value} does not fit in 32 bits`);
    }
    return value;
  }

  #fail(what: string): never {
    throw new VespidError('ASSEMBLER_INVALID', `${this.name}, slot ${this.slotIndex}: ${what}`);
  }
}

/** The wire form of RFC 9669 section 3, little-endian. */
function encodeSlots(slots: readonly Slot[]): Uint8Array {
  const bytes = new Uint8Array(slots.length * SLOT_BYTES);
  const view = new DataView(bytes.buffer);
  slots.forEach((slot, index) => {
    const at = index * SLOT_BYTES;
    view.setUint8(at, slot.opcode);
    view.setUint8(at + 1, (slot.source << 4) | slot.destination);
    view.setInt16(at + 2, slot.offset, true);
    view.setInt32(at + 4, slot.immediate, true);
  });
  return bytes;
}

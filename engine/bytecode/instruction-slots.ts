import { VespidError } from '../errors/index.js';
import { CALL, CLASS, MODE, PSEUDO_CALL, SIZE, SLOT_BYTES } from './isa.js';

/** `ld_imm64`: the one instruction of two slots (RFC 9669, section 5.4). */
export const LOAD_IMM64_OPCODE = CLASS.ld | MODE.imm | SIZE[8];
/** `call imm` (RFC 9669, section 4.3). */
export const CALL_OPCODE = CLASS.jmp | CALL;

/** The fields of instructions in place (RFC 9669, section 3), by slot. */
export class InstructionSlots {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  /** @throws VespidError OBJECT_MALFORMED if the bytes are not whole slots */
  constructor(bytes: Uint8Array, label: string) {
    if (bytes.byteLength % SLOT_BYTES !== 0) {
      throw new VespidError(
        'OBJECT_MALFORMED',
        `${label}: ${bytes.byteLength} bytes are not whole instructions`,
      );
    }
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get slotCount(): number {
    return this.bytes.byteLength / SLOT_BYTES;
  }

  opcode(slotIndex: number): number {
    return this.#view.getUint8(slotIndex * SLOT_BYTES);
  }

  setOpcode(slotIndex: number, opcode: number): void {
    this.#view.setUint8(slotIndex * SLOT_BYTES, opcode);
  }

  destinationRegister(slotIndex: number): number {
    return this.#view.getUint8(slotIndex * SLOT_BYTES + 1) & 0x0f;
  }

  sourceRegister(slotIndex: number): number {
    return this.#view.getUint8(slotIndex * SLOT_BYTES + 1) >> 4;
  }

  setSourceRegister(slotIndex: number, register: number): void {
    const at = slotIndex * SLOT_BYTES + 1;
    this.#view.setUint8(at, (this.#view.getUint8(at) & 0x0f) | (register << 4));
  }

  offset(slotIndex: number): number {
    return this.#view.getInt16(slotIndex * SLOT_BYTES + 2, true);
  }

  setOffset(slotIndex: number, offset: number): void {
    this.#view.setInt16(slotIndex * SLOT_BYTES + 2, offset, true);
  }

  immediate(slotIndex: number): number {
    return this.#view.getInt32(slotIndex * SLOT_BYTES + 4, true);
  }

  setImmediate(slotIndex: number, immediate: number): void {
    this.#view.setInt32(slotIndex * SLOT_BYTES + 4, immediate, true);
  }

  /** The 64 bits of a `ld_imm64`. */
  immediate64(slotIndex: number): bigint {
    const low = BigInt.asUintN(32, BigInt(this.immediate(slotIndex)));
    return (BigInt.asUintN(32, BigInt(this.immediate(slotIndex + 1))) << 32n) | low;
  }

  setImmediate64(slotIndex: number, value: bigint): void {
    this.setImmediate(slotIndex, Number(BigInt.asIntN(32, value)));
    this.setImmediate(slotIndex + 1, Number(BigInt.asIntN(32, value >> 32n)));
  }

  /** Whether a whole `ld_imm64` is here: its second slot holds nothing but the upper half. */
  isLoadImmediate64(slotIndex: number): boolean {
    return (
      this.opcode(slotIndex) === LOAD_IMM64_OPCODE &&
      slotIndex + 1 < this.slotCount &&
      this.#view.getUint32((slotIndex + 1) * SLOT_BYTES, true) === 0
    );
  }

  isCall(slotIndex: number): boolean {
    return this.opcode(slotIndex) === CALL_OPCODE;
  }

  /** A call of a function of the same program. */
  isLocalCall(slotIndex: number): boolean {
    return this.isCall(slotIndex) && this.sourceRegister(slotIndex) === PSEUDO_CALL;
  }

  /** Slot indexes at which an instruction begins, in order: second halves are left out. */
  starts(): readonly number[] {
    const starts: number[] = [];
    for (let slotIndex = 0; slotIndex < this.slotCount; slotIndex++) {
      starts.push(slotIndex);
      if (this.opcode(slotIndex) === LOAD_IMM64_OPCODE) slotIndex++;
    }
    return starts;
  }
}

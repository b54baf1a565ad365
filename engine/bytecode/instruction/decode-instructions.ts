import { VespidError } from '../../errors/index.js';
import type { ByteOrder } from '../byte-reader.js';
import { LOAD_IMM64_OPCODE } from '../instruction-slots.js';
import { CLASS, CLASS_MASK, MODE, MODE_MASK, SLOT_BYTES } from '../isa.js';
import { decodeAlu } from './decode-alu.js';
import { decodeJump } from './decode-jump.js';
import { decodeMemory, decodePacketLoad } from './decode-memory.js';
import { decodeWide } from './decode-wide.js';
import { type Instruction, slotCountOf } from './instruction.js';
import { readSlot } from './slot.js';
import { SlotReader } from './slot-reader.js';

/** BPF_COMPLEXITY_LIMIT_INSNS of include/linux/bpf.h: no kernel takes more, so no more is decoded. */
export const MAX_INSTRUCTION_SLOTS = 1_000_000;

export interface DecodeOptions {
  /** Of the machine that the code is for; little-endian if left out. */
  readonly byteOrder?: ByteOrder;
  /** What the bytes are, for messages. */
  readonly label?: string;
}

/**
 * Takes machine code apart. What {@link encodeInstructions} makes of the result is these bytes again.
 * @throws VespidError INSTRUCTION_TRUNCATED (not whole slots, half of a `ld_imm64`), INSTRUCTION_UNKNOWN,
 * INSTRUCTION_RESERVED_FIELD (a field that has to be zero, a register beyond R10), INSTRUCTION_LIMIT
 */
export function decodeInstructions(bytes: Uint8Array, options: DecodeOptions = {}): Instruction[] {
  const { byteOrder = 'little-endian', label = 'code' } = options;
  if (bytes.byteLength % SLOT_BYTES !== 0) {
    throw new VespidError(
      'INSTRUCTION_TRUNCATED',
      `${label}: ${bytes.byteLength} bytes are not whole instructions of ${SLOT_BYTES}`,
      { hint: 'the code is cut off or damaged' },
    );
  }
  const slotCount = bytes.byteLength / SLOT_BYTES;
  if (slotCount > MAX_INSTRUCTION_SLOTS) {
    throw new VespidError(
      'INSTRUCTION_LIMIT',
      `${label}: ${slotCount} slots, limit ${MAX_INSTRUCTION_SLOTS}`,
      { hint: 'the kernel takes no longer program' },
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const readerAt = (slotIndex: number) =>
    slotIndex < slotCount
      ? new SlotReader(readSlot(view, slotIndex, byteOrder), slotIndex, label)
      : undefined;
  const instructions: Instruction[] = [];
  for (let slotIndex = 0, reader = readerAt(0); reader !== undefined; reader = readerAt(slotIndex)) {
    const instruction = decodeInstruction(reader, readerAt(slotIndex + 1));
    instructions.push(instruction);
    slotIndex += slotCountOf(instruction);
  }
  return instructions;
}

/** The instruction of a slot; `next` is the slot after it, which only `ld_imm64` takes too. */
function decodeInstruction(reader: SlotReader, next: SlotReader | undefined): Instruction {
  switch (reader.opcode & CLASS_MASK) {
    case CLASS.alu32:
      return decodeAlu(reader, 32);
    case CLASS.alu64:
      return decodeAlu(reader, 64);
    case CLASS.jmp:
      return decodeJump(reader, 64);
    case CLASS.jmp32:
      return decodeJump(reader, 32);
    case CLASS.ld:
      return decodeLoad(reader, next);
    default:
      return decodeMemory(reader);
  }
}

function decodeLoad(reader: SlotReader, next: SlotReader | undefined): Instruction {
  const mode = reader.opcode & MODE_MASK;
  if (mode === MODE.abs || mode === MODE.ind) return decodePacketLoad(reader);
  if (reader.opcode !== LOAD_IMM64_OPCODE) throw reader.unknown('no such load');
  if (next === undefined) throw reader.truncated('half of a ld_imm64: the code ends after its first slot');
  return decodeWide(reader, next);
}

/** Each instruction with the index of its first slot. */
export function* placedInstructions(
  instructions: readonly Instruction[],
): Generator<{ readonly slotIndex: number; readonly instruction: Instruction }> {
  let slotIndex = 0;
  for (const instruction of instructions) {
    yield { slotIndex, instruction };
    slotIndex += slotCountOf(instruction);
  }
}

import { VespidError } from '../../errors/index.js';
import { CALL_OPCODE, type InstructionSlots, LOAD_IMM64_OPCODE } from '../instruction-slots.js';
import { CLASS, SIZE, SLOT_BYTES, SOURCE } from '../isa.js';
import type { CoreResolution } from './resolution.js';

/**
 * The helper id that libbpf leaves in a poisoned instruction (it reads as "bad relo" in hexadecimal,
 * 0xbad2310): no kernel has such a helper, and people know the number from verifier logs.
 */
export const POISON_HELPER_ID = 195896080;

const CLASS_MASK = 0x07;
const SIZE_MASK = 0x18;

/** Where an instruction keeps a value that a CO-RE relocation can be about. */
type ValuePlace = 'immediate' | 'offset' | 'immediate64';

/**
 * Writes a resolved relocation into its instruction.
 * @returns the reason if the instruction had to be poisoned
 * @throws VespidError CORE_INSTRUCTION_MISMATCH if the instruction does not hold what the object's own types
 * say, or cannot hold the new value
 */
export function patchInstruction(
  slots: InstructionSlots,
  slotIndex: number,
  resolution: CoreResolution,
): string | undefined {
  const place = placeOf(slots, slotIndex);
  if (resolution.outcome === 'poison') {
    poisonInstruction(slots, slotIndex);
    return resolution.reason;
  }
  const held = valueAt(slots, slotIndex, place);
  const expected = BigInt.asIntN(place === 'immediate64' ? 64 : 32, resolution.localValue);
  if (resolution.mustHoldLocalValue && held !== expected) {
    throw mismatch(
      slotIndex,
      `${expected} expected from the object's types, but the instruction holds ${held}`,
    );
  }
  if (place === 'offset' && resolution.localByteSize !== resolution.targetByteSize) {
    if (!resolution.canChangeSize) {
      checkOffset(slotIndex, resolution.targetValue);
      poisonInstruction(slots, slotIndex);
      const { localByteSize, targetByteSize } = resolution;
      return `the kernel's field has ${targetByteSize} bytes, not ${localByteSize}, and cannot be loaded as it is`;
    }
    changeAccessSize(slots, slotIndex, resolution.localByteSize, resolution.targetByteSize);
  }
  storeValue(slots, slotIndex, resolution.targetValue);
  return undefined;
}

/**
 * Puts a value where the instruction keeps it: the immediate, the offset of a load or store, or the 64 bits of
 * `ld_imm64`.
 * @throws VespidError CORE_INSTRUCTION_MISMATCH if it has no such place or the value does not fit
 */
export function storeValue(slots: InstructionSlots, slotIndex: number, value: bigint): void {
  switch (placeOf(slots, slotIndex)) {
    case 'immediate64':
      slots.setImmediate64(slotIndex, value);
      return;
    case 'immediate':
      // Also an unsigned value: the instruction's 32 bits are what counts.
      if (value !== BigInt.asIntN(32, value) && value !== BigInt.asUintN(32, value)) {
        throw mismatch(slotIndex, `${value} does not fit into 32 bits`);
      }
      slots.setImmediate(slotIndex, Number(BigInt.asIntN(32, value)));
      return;
    case 'offset':
      checkOffset(slotIndex, value);
      slots.setOffset(slotIndex, Number(value));
  }
}

function checkOffset(slotIndex: number, value: bigint): void {
  if (value >= 0n && value <= 0x7fffn) return;
  throw mismatch(slotIndex, `${value} does not fit into the offset of a load or store`);
}

function placeOf(slots: InstructionSlots, slotIndex: number): ValuePlace {
  const opcode = slots.opcode(slotIndex);
  switch (opcode & CLASS_MASK) {
    case CLASS.alu32:
    case CLASS.alu64:
      if ((opcode & SOURCE.x) === 0) return 'immediate';
      break;
    case CLASS.ldx:
    case CLASS.st:
    case CLASS.stx:
      return 'offset';
    case CLASS.ld:
      if (isPlainLoadImmediate64(slots, slotIndex)) return 'immediate64';
      break;
  }
  throw mismatch(slotIndex, `an instruction of opcode 0x${opcode.toString(16)} holds no relocatable value`);
}

/** A 64-bit number, and not the address of a map or function. */
function isPlainLoadImmediate64(slots: InstructionSlots, slotIndex: number): boolean {
  return (
    slots.isLoadImmediate64(slotIndex) &&
    slots.sourceRegister(slotIndex) === 0 &&
    slots.offset(slotIndex) === 0
  );
}

function valueAt(slots: InstructionSlots, slotIndex: number, place: ValuePlace): bigint {
  switch (place) {
    case 'immediate':
      return BigInt(slots.immediate(slotIndex));
    case 'offset':
      return BigInt(slots.offset(slotIndex));
    case 'immediate64':
      return BigInt.asIntN(64, slots.immediate64(slotIndex));
  }
}

function changeAccessSize(slots: InstructionSlots, slotIndex: number, from: number, to: number): void {
  const opcode = slots.opcode(slotIndex);
  const fromSize = sizeBits(from);
  const toSize = sizeBits(to);
  if (fromSize === undefined || toSize === undefined || (opcode & SIZE_MASK) !== fromSize) {
    throw mismatch(slotIndex, `a load or store of ${from} bytes cannot become one of ${to}`);
  }
  slots.setOpcode(slotIndex, (opcode & ~SIZE_MASK) | toSize);
}

function sizeBits(byteSize: number): number | undefined {
  return byteSize === 1 || byteSize === 2 || byteSize === 4 || byteSize === 8 ? SIZE[byteSize] : undefined;
}

/** Both halves of a `ld_imm64`: else the verifier would see the second half as an instruction of its own. */
function poisonInstruction(slots: InstructionSlots, slotIndex: number): void {
  const isWide = slots.opcode(slotIndex) === LOAD_IMM64_OPCODE && slotIndex + 1 < slots.slotCount;
  for (const index of isWide ? [slotIndex, slotIndex + 1] : [slotIndex]) {
    slots.bytes.fill(0, index * SLOT_BYTES, (index + 1) * SLOT_BYTES);
    slots.setOpcode(index, CALL_OPCODE);
    slots.setImmediate(index, POISON_HELPER_ID);
  }
}

function mismatch(slotIndex: number, message: string): VespidError {
  return new VespidError('CORE_INSTRUCTION_MISMATCH', message, {
    details: { slotIndex },
  });
}

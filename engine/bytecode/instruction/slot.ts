import type { ByteOrder } from '../byte-reader.js';
import { SLOT_BYTES } from '../isa.js';

/** The fields of one slot, RFC 9669 section 3. Registers are of 4 bits, whatever they mean. */
export interface Slot {
  readonly opcode: number;
  readonly destination: number;
  readonly source: number;
  /** 16 bits, signed. */
  readonly offset: number;
  /** 32 bits, signed. */
  readonly immediate: number;
}

/** On a big-endian machine the registers change places, too: they are bit-fields of one byte. */
export function readSlot(view: DataView, slotIndex: number, byteOrder: ByteOrder): Slot {
  const at = slotIndex * SLOT_BYTES;
  const isLittleEndian = byteOrder === 'little-endian';
  const registers = view.getUint8(at + 1);
  const low = registers & 0x0f;
  const high = registers >> 4;
  return {
    opcode: view.getUint8(at),
    destination: isLittleEndian ? low : high,
    source: isLittleEndian ? high : low,
    offset: view.getInt16(at + 2, isLittleEndian),
    immediate: view.getInt32(at + 4, isLittleEndian),
  };
}

export function writeSlot(view: DataView, slotIndex: number, slot: Slot, byteOrder: ByteOrder): void {
  const at = slotIndex * SLOT_BYTES;
  const isLittleEndian = byteOrder === 'little-endian';
  const { destination, source } = slot;
  view.setUint8(at, slot.opcode);
  view.setUint8(at + 1, isLittleEndian ? (source << 4) | destination : (destination << 4) | source);
  view.setInt16(at + 2, slot.offset, isLittleEndian);
  view.setInt32(at + 4, slot.immediate, isLittleEndian);
}

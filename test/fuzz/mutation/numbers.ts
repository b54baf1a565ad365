import type { Random } from '../random.js';

/** Values that sizes, counts, offsets and signs go wrong with. */
const INTERESTING = [
  0, 1, 2, 3, 4, 7, 8, 12, 16, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0xf_ffff, 0x10_0000,
  0xff_ffff, 0x0100_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_fff8, 0xffff_ffff,
];

/** Another value for a field that holds `current`: a known trap, a neighbour, one bit off, or anything. */
export function otherNumber(random: Random, current: number): number {
  switch (random.below(4)) {
    case 0:
      return random.pick(INTERESTING);
    case 1:
      return (current + random.below(17) - 8) >>> 0;
    case 2:
      return (current ^ (1 << random.below(32))) >>> 0;
    default:
      return random.u32();
  }
}

/** Changes the 1, 2, 4 or 8 bytes at `at`, as a number in the byte order of the file. */
export function changeField(
  random: Random,
  bytes: Uint8Array,
  at: number,
  byteSize: 1 | 2 | 4 | 8,
  isLittleEndian: boolean,
): void {
  if (at < 0 || at + byteSize > bytes.byteLength) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (byteSize) {
    case 1:
      view.setUint8(at, otherNumber(random, view.getUint8(at)));
      break;
    case 2:
      view.setUint16(at, otherNumber(random, view.getUint16(at, isLittleEndian)), isLittleEndian);
      break;
    case 4:
      view.setUint32(at, otherNumber(random, view.getUint32(at, isLittleEndian)), isLittleEndian);
      break;
    case 8: {
      const current = Number(view.getBigUint64(at, isLittleEndian) & 0xffff_ffffn);
      const high = random.once(4) ? random.u32() : 0;
      const value = (BigInt(high) << 32n) | BigInt(otherNumber(random, current));
      view.setBigUint64(at, value, isLittleEndian);
      break;
    }
  }
}

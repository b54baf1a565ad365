import type { Random } from '../random.js';
import { changeField } from './numbers.js';

const TYPE_HEADER_BYTES = 12;
const KINDS = 20;
/** Bytes after the 12 of every type, by kind: for each entry, and without entries. Documentation/bpf/btf.rst. */
const ENTRY_BYTES: Readonly<Record<number, number>> = { 4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12 };
const FIXED_BYTES: Readonly<Record<number, number>> = { 1: 4, 3: 12, 14: 4, 17: 4 };

/**
 * Changes a .BTF in place, along its structure: the header, the kind and the number of entries of a type, a
 * name, a reference to another type, an entry. Its length stays, so that it can sit in an object file.
 */
export function mutateBtf(random: Random, btf: Uint8Array): void {
  if (btf.byteLength < 24) return;
  const view = new DataView(btf.buffer, btf.byteOffset, btf.byteLength);
  const isLittleEndian = view.getUint16(0, true) === 0xeb9f;
  const types = typeOffsets(view, isLittleEndian);
  for (let count = 1 + random.below(3); count > 0; count--) {
    if (random.once(12) || types.length === 0) {
      changeField(random, btf, random.pick([0, 2, 3, 4, 8, 12, 16, 20]), 4, isLittleEndian);
    } else {
      mutateType(random, btf, view, isLittleEndian, random.pick(types), types);
    }
  }
}

interface TypePlace {
  readonly at: number;
  readonly byteSize: number;
}

function mutateType(
  random: Random,
  btf: Uint8Array,
  view: DataView,
  isLittleEndian: boolean,
  { at, byteSize }: TypePlace,
  types: readonly TypePlace[],
): void {
  const info = view.getUint32(at + 4, isLittleEndian);
  const setInfo = (value: number) => view.setUint32(at + 4, value >>> 0, isLittleEndian);
  // A valid id makes loops and wrong kinds, a wild one only a refusal.
  const anyTypeId = () => random.below(types.length + 1);
  switch (random.below(7)) {
    case 0:
      setInfo((info & ~(0x1f << 24)) | (random.below(KINDS + 1) << 24));
      break;
    case 1:
      setInfo((info & ~0xffff) | (random.once(2) ? random.below(8) : random.below(0x1_0000)));
      break;
    case 2:
      setInfo(info ^ 0x8000_0000);
      break;
    case 3:
      changeField(random, btf, at, 4, isLittleEndian);
      break;
    case 4:
      if (random.once(3)) changeField(random, btf, at + 8, 4, isLittleEndian);
      else view.setUint32(at + 8, anyTypeId(), isLittleEndian);
      break;
    default: {
      if (byteSize === TYPE_HEADER_BYTES) break;
      const field = at + TYPE_HEADER_BYTES + 4 * random.below((byteSize - TYPE_HEADER_BYTES) / 4);
      if (random.once(2)) changeField(random, btf, field, 4, isLittleEndian);
      else view.setUint32(field, anyTypeId(), isLittleEndian);
    }
  }
}

/** Where the types of a well-formed .BTF are; stops where the form ends. */
function typeOffsets(view: DataView, isLittleEndian: boolean): TypePlace[] {
  const places: TypePlace[] = [];
  let at = view.getUint32(4, isLittleEndian) + view.getUint32(8, isLittleEndian);
  const end = Math.min(at + view.getUint32(12, isLittleEndian), view.byteLength);
  while (at + TYPE_HEADER_BYTES <= end) {
    const info = view.getUint32(at + 4, isLittleEndian);
    const kind = (info >>> 24) & 0x1f;
    const byteSize =
      TYPE_HEADER_BYTES + (FIXED_BYTES[kind] ?? 0) + (ENTRY_BYTES[kind] ?? 0) * (info & 0xffff);
    if (at + byteSize > end) break;
    places.push({ at, byteSize });
    at += byteSize;
  }
  return places;
}

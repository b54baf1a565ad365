import type { Random } from '../random.js';
import { type ElfPlaces, elfPlaces, type SectionPlace } from './elf-places.js';
import { mutateBtf } from './mutate-btf.js';
import { mutateBytes } from './mutate-bytes.js';
import { changeField } from './numbers.js';

/** Offset and size of the fields of Elf64_Ehdr that a reader looks at, Elf64_Shdr, Elf64_Sym and Elf64_Rel. */
const FILE_FIELDS: readonly Field[] = [
  [4, 1],
  [5, 1],
  [6, 1],
  [16, 2],
  [18, 2],
  [20, 4],
  [40, 8],
  [52, 2],
  [58, 2],
  [60, 2],
  [62, 2],
];
const SECTION_FIELDS: readonly Field[] = [
  [0, 4],
  [4, 4],
  [8, 8],
  [16, 8],
  [24, 8],
  [32, 8],
  [40, 4],
  [44, 4],
  [48, 8],
  [56, 8],
];
const SYMBOL_FIELDS: readonly Field[] = [
  [0, 4],
  [4, 1],
  [5, 1],
  [6, 2],
  [8, 8],
  [16, 8],
];
const RELOCATION_FIELDS: readonly Field[] = [
  [0, 8],
  [8, 4],
  [12, 4],
];
const INSTRUCTION_FIELDS: readonly Field[] = [
  [0, 1],
  [1, 1],
  [2, 2],
  [4, 4],
];

type Field = readonly [byteOffset: number, byteSize: 1 | 2 | 4 | 8];

const SHT = { programBits: 1, symbolTable: 2, stringTable: 3, relocation: 9 } as const;
const SYMBOL_BYTES = 24;
const RELOCATION_BYTES = 16;
const SLOT_BYTES = 8;

/** An object with one to four changes along the structure of ELF and of what BPF puts into it; some blind ones. */
export function mutateElf(random: Random, original: Uint8Array, others: readonly Uint8Array[]): Uint8Array {
  if (random.once(5)) return mutateBytes(random, original, others);
  const bytes = original.slice();
  const places = elfPlaces(bytes);
  if (places === undefined) return mutateBytes(random, original, others);
  for (let count = 1 + random.below(4); count > 0; count--) mutateOnce(random, bytes, places, others);
  return bytes;
}

function mutateOnce(
  random: Random,
  bytes: Uint8Array,
  places: ElfPlaces,
  others: readonly Uint8Array[],
): void {
  const { isLittleEndian, headers, sections } = places;
  const change = (base: number, fields: readonly Field[]) => {
    const [byteOffset, byteSize] = random.pick(fields);
    changeField(random, bytes, base + byteOffset, byteSize, isLittleEndian);
  };
  const changeEntry = (wanted: (section: SectionPlace) => boolean, entryBytes: number, fields: Field[]) => {
    const section = pickSection(random, sections, wanted);
    if (section === undefined) return;
    change(section.at + entryBytes * random.below(Math.floor(section.byteSize / entryBytes)), fields);
  };
  switch (random.below(11)) {
    case 0:
      change(0, FILE_FIELDS);
      break;
    case 1:
    case 2:
      change(random.pick(headers), SECTION_FIELDS);
      break;
    case 3:
      swapBytes(bytes, random.pick(headers), random.pick(headers), random.pick([4, 8, 24, 40, 64]));
      break;
    case 4:
      changeEntry(({ type }) => type === SHT.symbolTable, SYMBOL_BYTES, [...SYMBOL_FIELDS]);
      break;
    case 5:
      changeEntry(({ type }) => type === SHT.relocation, RELOCATION_BYTES, [...RELOCATION_FIELDS]);
      break;
    case 6:
      changeEntry(({ type }) => type === SHT.programBits, SLOT_BYTES, [...INSTRUCTION_FIELDS]);
      break;
    case 7:
    case 8: {
      const btf = sections.find(({ name }) => name === '.BTF');
      if (btf !== undefined) mutateBtf(random, bytes.subarray(btf.at, btf.at + btf.byteSize));
      break;
    }
    case 9:
      changeEntry(({ name }) => name === '.BTF.ext', 4, [[0, 4]]);
      break;
    default:
      transplant(random, bytes, places, random.pick(others));
  }
}

function pickSection(
  random: Random,
  sections: readonly SectionPlace[],
  wanted: (section: SectionPlace) => boolean,
): SectionPlace | undefined {
  const found = sections.filter((section) => section.byteSize > 0 && wanted(section));
  return found.length === 0 ? undefined : random.pick(found);
}

function swapBytes(bytes: Uint8Array, left: number, right: number, byteSize: number): void {
  const kept = bytes.slice(left, left + byteSize);
  bytes.copyWithin(left, right, right + byteSize);
  bytes.set(kept, right);
}

/** The contents of a section of another object, of the same name where there is one, over those of this one. */
function transplant(random: Random, bytes: Uint8Array, places: ElfPlaces, other: Uint8Array): void {
  const target = pickSection(random, places.sections, () => true);
  const donors = elfPlaces(other)?.sections ?? [];
  if (target === undefined) return;
  const donor =
    pickSection(random, donors, ({ name }) => name === target.name) ??
    pickSection(random, donors, () => true);
  if (donor === undefined) return;
  bytes.set(other.subarray(donor.at, donor.at + Math.min(donor.byteSize, target.byteSize)), target.at);
}

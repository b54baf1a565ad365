/** Where the tables of a well-formed ELF64 object are, for changes along its structure. */
export interface ElfPlaces {
  readonly isLittleEndian: boolean;
  /** Offset of each section's header. */
  readonly headers: readonly number[];
  readonly sections: readonly SectionPlace[];
}

export interface SectionPlace {
  readonly name: string;
  readonly type: number;
  /** SHF_EXECINSTR */
  readonly isCode: boolean;
  readonly at: number;
  readonly byteSize: number;
}

const SECTION_HEADER_BYTES = 64;
const EXECUTABLE = 4n;
/** SHT_NOBITS */
const NO_BITS = 8;

/** Undefined for bytes that are no such object. */
export function elfPlaces(bytes: Uint8Array): ElfPlaces | undefined {
  if (bytes.byteLength < 64 || bytes[0] !== 0x7f) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLittleEndian = bytes[5] === 1;
  const table = Number(view.getBigUint64(40, isLittleEndian));
  const count = view.getUint16(60, isLittleEndian);
  if (table + count * SECTION_HEADER_BYTES > bytes.byteLength) return undefined;
  const headers = Array.from({ length: count }, (_, index) => table + index * SECTION_HEADER_BYTES);
  const namesHeader = headers[view.getUint16(62, isLittleEndian)];
  const namesAt = namesHeader === undefined ? 0 : Number(view.getBigUint64(namesHeader + 24, isLittleEndian));
  const sections = headers.map((header): SectionPlace => {
    const type = view.getUint32(header + 4, isLittleEndian);
    const at = Number(view.getBigUint64(header + 24, isLittleEndian));
    const byteSize = type === NO_BITS ? 0 : Number(view.getBigUint64(header + 32, isLittleEndian));
    const nameAt = namesAt + view.getUint32(header, isLittleEndian);
    const name = new TextDecoder().decode(bytes.subarray(nameAt, bytes.indexOf(0, nameAt)));
    const isCode = (view.getBigUint64(header + 8, isLittleEndian) & EXECUTABLE) !== 0n;
    return { name, type, isCode, at, byteSize: at + byteSize <= bytes.byteLength ? byteSize : 0 };
  });
  return { isLittleEndian, headers, sections };
}

/** The bytes of the section of that name, in a list that is empty without it. */
export function sectionBytes(object: Uint8Array, name: string): Uint8Array[] {
  return (elfPlaces(object)?.sections ?? [])
    .filter((section) => section.name === name)
    .map(({ at, byteSize }) => object.slice(at, at + byteSize));
}

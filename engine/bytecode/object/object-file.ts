import { VespidError } from '../../errors/index.js';
import { type BtfExt, readBtfExt } from '../btf/btf-ext.js';
import { Btf } from '../btf/btf-reader.js';
import { type ByteOrder, ByteReader } from '../byte-reader.js';
import { type ElfFile, type ElfSection, readElf } from '../elf/elf-reader.js';
import type { ArenaSection } from './arena-section.js';
import { type DataSection, readDataSections } from './data-sections.js';
import { completeDataSections } from './kernel-btf.js';
import { readMaps } from './map-definitions.js';
import type { ObjectExtern } from './object-extern.js';
import { readFunctions } from './object-functions.js';
import type { ObjectMap } from './object-map.js';
import { type ObjectFunction, resolveReferences } from './object-references.js';
import type { StructOpsMap } from './struct-ops.js';

/** A BPF object as its file says it is: nothing here depends on a kernel. */
export interface ObjectFile {
  /** For messages. */
  readonly name: string;
  /** Of the machine that it was built for. Instructions are in little-endian encoding whatever it is. */
  readonly byteOrder: ByteOrder;
  /** `''` if the object has none. */
  readonly license: string;
  /** KERNEL_VERSION() of the section `version`, which kprobes needed before Linux 5.0; 0 if there is none. */
  readonly kernelVersion: number;
  /** Functions that the kernel calls, in the order of their sections and of their place there. */
  readonly programs: readonly ObjectFunction[];
  /** Functions that only other functions call. */
  readonly subprograms: readonly ObjectFunction[];
  readonly maps: readonly ObjectMap[];
  /** `.rodata*`, `.data*` and `.bss*`. */
  readonly dataSections: readonly DataSection[];
  readonly arena: ArenaSection | undefined;
  /** What the object names and a kernel has: configuration values, variables, functions. */
  readonly externs: readonly ObjectExtern[];
  /** Bytes of the data section that the loader fills with the values of kconfig externs; 0 without those. */
  readonly kconfigByteSize: number;
  readonly structOps: readonly StructOpsMap[];
  /** The object's own types; `btf.bytes` is ready for BPF_BTF_LOAD. Undefined for an object built without -g. */
  readonly btf: Btf | undefined;
  /** What Vespid's compiler says about the object to Vespid (section `.vespid`); empty for other objects. */
  readonly metadata: Uint8Array;
}

/** Ours alone: other loaders pass over a section that is not allocated. */
export const METADATA_SECTION = '.vespid';

/** Sections of features that change what a program does and that are not read yet: refused, never ignored. */
const UNSUPPORTED_SECTIONS = [
  { pattern: /^maps(\/|$)/, what: 'map definitions of the form before BTF (SEC("maps"))' },
  { pattern: /^\.struct_ops(\.link)?$/, what: 'struct_ops' },
  { pattern: /^\.addr_space\./, what: 'arena variables' },
];

/**
 * Reads a relocatable BPF object as clang or {@link writeObject} writes it. Deterministic, no system call.
 * @throws VespidError ELF_*, BTF_*, BYTES_OUT_OF_RANGE, OBJECT_MALFORMED for bytes that are not such an object,
 * OBJECT_UNSUPPORTED for one that uses a feature that is not supported yet
 */
export function readObject(bytes: Uint8Array, name: string): ObjectFile {
  const elf = readElf(bytes, name);
  checkSections(elf);
  const btf = readObjectBtf(elf);
  const ext = readObjectBtfExt(elf, btf);
  const { maps, places } = readMaps(elf, btf);
  const dataSections = readDataSections(elf, btf);
  const bare = readFunctions(elf, ext, btf);
  const functions = resolveReferences(elf, bare, places);
  const textSections = new Set(elf.sections.filter((s) => s.name === '.text').map((s) => s.index));
  const isProgram = (f: ObjectFunction) => f.linkage === 'global' && !textSections.has(f.sectionIndex);
  const programs = functions.filter(isProgram);
  checkUniqueNames(programs, name);
  return {
    name,
    byteOrder: 'little-endian',
    license: readLicense(elf),
    kernelVersion: 0,
    programs,
    subprograms: functions.filter((f) => !isProgram(f)),
    maps,
    dataSections,
    arena: undefined,
    externs: [],
    kconfigByteSize: 0,
    structOps: [],
    btf,
    metadata: onlySection(elf, METADATA_SECTION)?.bytes ?? new Uint8Array(0),
  };
}

/**
 * The program of that name.
 * @throws VespidError OBJECT_PROGRAM_UNKNOWN naming those that there are
 */
export function programNamed(object: ObjectFile, programName: string): ObjectFunction {
  const program = object.programs.find((candidate) => candidate.name === programName);
  if (program !== undefined) return program;
  throw new VespidError('OBJECT_PROGRAM_UNKNOWN', `${object.name}: no program ${programName}`, {
    hint: `it has ${object.programs.map((candidate) => candidate.name).join(', ') || 'no programs'}`,
  });
}

function checkSections(elf: ElfFile): void {
  for (const section of elf.sections) {
    const refused = UNSUPPORTED_SECTIONS.find(({ pattern }) => pattern.test(section.name));
    if (refused === undefined) continue;
    throw new VespidError('OBJECT_UNSUPPORTED', `${elf.label}: ${section.name}: ${refused.what}`);
  }
}

function readObjectBtf(elf: ElfFile): Btf | undefined {
  const section = onlySection(elf, '.BTF');
  if (section === undefined) return undefined;
  const btf = new Btf(section.bytes, `${elf.label}: .BTF`);
  return completeDataSections(btf, elf);
}

function readObjectBtfExt(elf: ElfFile, btf: Btf | undefined): BtfExt {
  const section = onlySection(elf, '.BTF.ext');
  if (section === undefined || btf === undefined) return { functions: [], lines: [], coreRelocations: [] };
  return readBtfExt(section.bytes, btf, `${elf.label}: .BTF.ext`);
}

function readLicense(elf: ElfFile): string {
  const section = onlySection(elf, 'license');
  if (section === undefined || section.byteSize === 0) return '';
  return new ByteReader(section.bytes, `${elf.label}: license`).cString(0);
}

function onlySection(elf: ElfFile, name: string): ElfSection | undefined {
  const found = elf.sections.filter((section) => section.name === name);
  if (found.length > 1) {
    throw new VespidError('OBJECT_MALFORMED', `${elf.label}: ${found.length} sections named ${name}`);
  }
  return found[0];
}

function checkUniqueNames(programs: readonly ObjectFunction[], label: string): void {
  const names = new Set<string>();
  for (const { name } of programs) {
    if (names.has(name)) throw new VespidError('OBJECT_MALFORMED', `${label}: two programs named ${name}`);
    names.add(name);
  }
}

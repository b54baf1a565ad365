import { VespidError } from '../../errors/index.js';
import { type BtfExt, readBtfExt } from '../btf/btf-ext.js';
import { Btf } from '../btf/btf-reader.js';
import { type ByteOrder, ByteReader } from '../byte-reader.js';
import { type ElfFile, type ElfSection, readElf } from '../elf/elf-reader.js';
import { ARENA_SECTION, type ArenaSection, readArena } from './arena-section.js';
import { type DataSection, readDataSections } from './data-sections.js';
import { withInitialContents } from './initial-contents.js';
import { completeBtf } from './kernel-btf.js';
import { readMaps } from './map-definitions.js';
import type { ObjectExtern } from './object-extern.js';
import { readFunctions } from './object-functions.js';
import type { ObjectMap } from './object-map.js';
import { type ObjectFunction, resolveReferences } from './object-references.js';
import { readExterns } from './read-externs.js';
import { readStructOps, type StructOpsMap } from './struct-ops.js';

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

/**
 * The largest objects have some hundred. Each program is linked with all that it calls, up to the kernel's limit
 * of 8 MB, so that a file of many programs that call one large function would take hours.
 */
const MAX_PROGRAMS = 4096;

/** Ours alone: other loaders pass over a section that is not allocated. */
export const METADATA_SECTION = '.vespid';

/**
 * Reads a relocatable BPF object as clang or {@link writeObject} writes it, of either byte order.
 * Deterministic, no system call, and nothing that only a kernel can decide is an error.
 * @throws VespidError ELF_*, BTF_*, BYTES_OUT_OF_RANGE, OBJECT_MALFORMED for bytes that are not such an object,
 * OBJECT_UNSUPPORTED for one that needs what libbpf does not load either
 */
export function readObject(bytes: Uint8Array, name: string): ObjectFile {
  const elf = readElf(bytes, name);
  checkSections(elf);
  const written = readObjectBtf(elf);
  const ext = readObjectBtfExt(elf, written);
  const { externs, kconfigByteSize } = readExterns(elf, written);
  const btf = written === undefined ? undefined : completeBtf(written, elf, { externs, kconfigByteSize });
  const placedMaps = readMaps(elf, btf);
  const targets = {
    maps: placedMaps,
    arenaSectionIndex: elf.sections.findIndex((section) => section.name === ARENA_SECTION),
    kconfigOffsets: new Map(
      externs.flatMap((e) => (e.kind === 'kconfig' ? [[e.name, e.byteOffset] as const] : [])),
    ),
  };
  const functions = resolveReferences(elf, readFunctions(elf, ext, btf), targets, btf);
  const programs = functions.all.filter(isProgram);
  checkPrograms(programs, name);
  const programAt = (sectionIndex: number, byteOffset: number) => {
    const found = functions.at(sectionIndex, byteOffset);
    return found !== undefined && isProgram(found) ? found : undefined;
  };
  const maps = withInitialContents(elf, placedMaps, programAt);
  return {
    name,
    byteOrder: elf.byteOrder,
    license: readLicense(elf),
    kernelVersion: readKernelVersion(elf),
    programs,
    subprograms: functions.all.filter((f) => !isProgram(f)),
    maps,
    dataSections: readDataSections(elf, btf),
    arena: readArena(elf, btf, maps),
    externs,
    kconfigByteSize,
    structOps: readStructOps(elf, btf, programAt),
    btf,
    metadata: onlySection(elf, METADATA_SECTION)?.bytes ?? new Uint8Array(0),
  };
}

/** What other functions do not see, and what is in `.text`, is there to be called by programs. */
function isProgram(f: ObjectFunction): boolean {
  return f.linkage === 'global' && f.section !== '.text';
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
  const legacy = elf.sections.find((section) => section.name === 'maps');
  if (legacy === undefined) return;
  throw new VespidError(
    'OBJECT_UNSUPPORTED',
    `${elf.label}: map definitions of the form before BTF (SEC("maps"))`,
    {
      hint: 'define maps in SEC(".maps") with __uint and __type: libbpf 1.0 dropped the old form as well',
    },
  );
}

function readObjectBtf(elf: ElfFile): Btf | undefined {
  const section = onlySection(elf, '.BTF');
  if (section === undefined) return undefined;
  const btf = new Btf(section.bytes, `${elf.label}: .BTF`);
  if (btf.byteOrder === elf.byteOrder) return btf;
  throw new VespidError(
    'OBJECT_MALFORMED',
    `${elf.label}: .BTF is ${btf.byteOrder}, the file ${elf.byteOrder}`,
  );
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

function readKernelVersion(elf: ElfFile): number {
  const section = onlySection(elf, 'version');
  if (section === undefined) return 0;
  if (section.bytes.byteLength === 4) return new ByteReader(section.bytes, 'version', elf.byteOrder).u32(0);
  throw new VespidError(
    'OBJECT_MALFORMED',
    `${elf.label}: section version of ${section.byteSize} bytes, expected 4`,
  );
}

function onlySection(elf: ElfFile, name: string): ElfSection | undefined {
  const found = elf.sections.filter((section) => section.name === name);
  if (found.length > 1) {
    throw new VespidError('OBJECT_MALFORMED', `${elf.label}: ${found.length} sections named ${name}`);
  }
  return found[0];
}

function checkPrograms(programs: readonly ObjectFunction[], label: string): void {
  if (programs.length > MAX_PROGRAMS) {
    throw new VespidError(
      'OBJECT_UNSUPPORTED',
      `${label}: ${programs.length} programs, limit ${MAX_PROGRAMS}`,
    );
  }
  const names = new Set<string>();
  for (const { name } of programs) {
    if (names.has(name)) throw new VespidError('OBJECT_MALFORMED', `${label}: two programs named ${name}`);
    names.add(name);
  }
}

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { ByteReader } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';

/** ELF-64, little-endian (elf(5)): the only sort that the machines we run on execute. */
const IDENT = { magic: 0x464c_457f, class64: 2, littleEndian: 1 } as const;
const HEADER_BYTES = 64;
const SECTION_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const SYMBOL_BYTES = 24;
const SECTION = { symbols: 2, dynamicSymbols: 11 } as const;
const LOADABLE = 1;
const EXECUTABLE = 1;
const FUNCTION = 2;
/** STT_GNU_IFUNC: its address is that of the resolver. */
const INDIRECT_FUNCTION = 10;
/** Debug builds of browsers have symbol tables of some 200 MB; beyond this a header is forged. */
const LARGEST_TABLE = 512 * 1024 * 1024;

/**
 * Where the functions of an executable or library begin, as offsets in the file: what a uprobe needs. The static
 * symbol table and the dynamic one are both searched; versions behind an `@` are not part of a name.
 *
 * @throws VespidError INPUT_UNREADABLE, SYMBOL_NOT_FOUND when a name is not there, EXECUTABLE_MALFORMED, BYTES_OUT_OF_RANGE
 */
export function functionOffsets(path: string, names: readonly string[]): bigint[] {
  const fd = openExecutable(path);
  try {
    const addresses = new Map<string, bigint>();
    const file = new ExecutableFile(fd, path);
    for (const type of [SECTION.symbols, SECTION.dynamicSymbols]) file.collect(type, names, addresses);
    return names.map((name) => {
      const address = addresses.get(name);
      if (address !== undefined) return file.offsetOf(address);
      throw new VespidError('SYMBOL_NOT_FOUND', `${path} has no function ${name}`, {
        hint: 'list them with `nm -D`, or give an offset in the file; a stripped file has its exported functions only',
        details: { path, name },
      });
    });
  } finally {
    closeSync(fd);
  }
}

/** Without waiting for the other end of a pipe: the path may be that of an object's section. */
function openExecutable(path: string): number {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw new VespidError('INPUT_UNREADABLE', `the executable ${path} cannot be opened`, { cause });
  }
  if (fstatSync(fd).isFile()) return fd;
  closeSync(fd);
  throw new VespidError('EXECUTABLE_MALFORMED', `${path} cannot be probed by symbol: it is no regular file`);
}

/** Reads what is needed of a file that may be large, and nothing else of it. */
class ExecutableFile {
  readonly #sections: ByteReader;
  readonly #segments: ByteReader;
  readonly #byteLength: number;

  constructor(
    private readonly fd: number,
    private readonly path: string,
  ) {
    this.#byteLength = fstatSync(fd).size;
    const header = this.#read(0, HEADER_BYTES, 'header');
    const isSupported =
      header.u32(0) === IDENT.magic && header.u8(4) === IDENT.class64 && header.u8(5) === IDENT.littleEndian;
    if (!isSupported) throw this.#malformed('it is not a 64-bit little-endian ELF file');
    if (header.u16(54) !== PROGRAM_HEADER_BYTES && header.u16(56) !== 0)
      throw this.#malformed('program headers');
    if (header.u16(58) !== SECTION_HEADER_BYTES && header.u16(60) !== 0)
      throw this.#malformed('section headers');
    this.#segments = this.#read(header.size64(32), header.u16(56) * PROGRAM_HEADER_BYTES, 'program headers');
    this.#sections = this.#read(header.size64(40), header.u16(60) * SECTION_HEADER_BYTES, 'section headers');
  }

  /** Adds the addresses of the functions that are sought and not found yet. */
  collect(tableType: number, names: readonly string[], addresses: Map<string, bigint>): void {
    const sought = new Set(names);
    for (let at = 0; at < this.#sections.byteLength; at += SECTION_HEADER_BYTES) {
      if (this.#sections.u32(at + 4) !== tableType) continue;
      const symbols = this.#section(at, 'symbols');
      const strings = this.#section(this.#sections.u32(at + 40) * SECTION_HEADER_BYTES, 'symbol names');
      for (let symbol = 0; symbol + SYMBOL_BYTES <= symbols.byteLength; symbol += SYMBOL_BYTES) {
        const type = symbols.u8(symbol + 4) & 0xf;
        const isDefined = symbols.u16(symbol + 6) !== 0;
        if ((type !== FUNCTION && type !== INDIRECT_FUNCTION) || !isDefined) continue;
        const [name = ''] = strings.cString(symbols.u32(symbol)).split('@');
        if (sought.has(name) && !addresses.has(name)) addresses.set(name, symbols.u64(symbol + 8));
      }
    }
  }

  /** The place in the file of an address, by the segment that is mapped there executable. */
  offsetOf(address: bigint): bigint {
    for (let at = 0; at < this.#segments.byteLength; at += PROGRAM_HEADER_BYTES) {
      const isCode = this.#segments.u32(at) === LOADABLE && (this.#segments.u32(at + 4) & EXECUTABLE) !== 0;
      const start = this.#segments.u64(at + 16);
      if (!isCode || address < start || address >= start + this.#segments.u64(at + 32)) continue;
      return address - start + this.#segments.u64(at + 8);
    }
    throw this.#malformed(`no executable segment has the address 0x${address.toString(16)}`);
  }

  #section(headerOffset: number, label: string): ByteReader {
    return this.#read(
      this.#sections.size64(headerOffset + 24),
      this.#sections.size64(headerOffset + 32),
      label,
    );
  }

  #read(byteOffset: number, byteLength: number, label: string): ByteReader {
    if (byteLength > LARGEST_TABLE || byteOffset + byteLength > this.#byteLength) {
      throw this.#malformed(`${label} lie beyond its end`);
    }
    const bytes = new Uint8Array(byteLength);
    const read = byteLength === 0 ? 0 : readSync(this.fd, bytes, 0, byteLength, byteOffset);
    return new ByteReader(bytes.subarray(0, read), `${this.path}: ${label}`);
  }

  #malformed(what: string): VespidError {
    return new VespidError('EXECUTABLE_MALFORMED', `${this.path} cannot be probed by symbol: ${what}`);
  }
}

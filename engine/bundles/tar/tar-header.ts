/**
 * Blocks of a tar file (POSIX.1-2017, pax, "ustar Interchange Format"), as far as a bundle needs them: regular files
 * and directories with names of at most 100 bytes. Pure functions over bytes.
 */

export const TAR_BLOCK_BYTES = 512;

/** What stands before the bytes of a file. */
export interface TarHeader {
  readonly path: string;
  readonly kind: 'file' | 'directory';
  readonly byteSize: number;
}

/** Why a block is no header that a bundle can have. */
export interface TarFault {
  readonly fault: 'malformed' | 'not-regular' | 'extension';
  /** What was expected and what was found. */
  readonly reason: string;
}

/** Offset and length of each field, in bytes. */
const FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  typeflag: [156, 1],
  linkname: [157, 100],
  /** `magic` and `version` of the standard together. */
  magic: [257, 8],
  /** From `prefix` to the end of the block: with names of 100 bytes it holds zeros, here and in GNU's header. */
  rest: [345, 167],
} as const satisfies Record<string, readonly [number, number]>;

const MAGIC_USTAR = 'ustar\x0000';
/** What GNU tar writes by default, in its format from before the standard. */
const MAGIC_GNU = 'ustar  \x00';

/** Typeflags of the standard and of GNU tar that are not files, as people call them. */
const OTHER_KINDS: ReadonlyMap<string, TarFault['fault']> = new Map([
  ...['1', '2', '3', '4', '6', '7'].map((flag) => [flag, 'not-regular'] as const),
  ...['x', 'g', 'L', 'K', 'S', 'M', 'V', 'D', 'N', 'A', 'I', 'X'].map((flag) => [flag, 'extension'] as const),
]);

/** Whether a block marks the end. */
export function isZeroBlock(block: Uint8Array): boolean {
  return block.every((byte) => byte === 0);
}

/** Whether a block looks like a tar header at all; tells a broken tar file from any other file. */
export function looksLikeTar(block: Uint8Array): boolean {
  return latin1(block, FIELDS.magic).startsWith('ustar');
}

/**
 * Reads a header. Owner, mode and times say nothing about a bundle and are passed over; everything else has one form.
 *
 * @param block of {@link TAR_BLOCK_BYTES}
 */
export function decodeTarHeader(block: Uint8Array): TarHeader | TarFault {
  const magic = latin1(block, FIELDS.magic);
  if (magic !== MAGIC_USTAR && magic !== MAGIC_GNU) {
    return malformed(`a ustar header, found the magic ${JSON.stringify(magic)}`);
  }
  const checksum = readOctal(latin1(block, FIELDS.checksum));
  if (checksum !== checksumOf(block)) {
    return malformed(`the checksum ${checksumOf(block)}, found ${checksum ?? 'no octal number'}`);
  }
  const kind = readKind(block);
  if (typeof kind !== 'string') return kind;
  const path = readText(latin1(block, FIELDS.name));
  const isPlain = [FIELDS.linkname, FIELDS.rest].every((field) => isZeroBlock(bytesOf(block, field)));
  if (path === undefined || !isPlain) return malformed('a name of its own and no link, found other bytes');
  const byteSize = readOctal(latin1(block, FIELDS.size));
  if (byteSize === undefined || (kind === 'directory' && byteSize !== 0)) {
    return malformed(
      `the size of a ${kind} as an octal number, found ${JSON.stringify(latin1(block, FIELDS.size))}`,
    );
  }
  return { path, kind, byteSize };
}

function readKind(block: Uint8Array): TarHeader['kind'] | TarFault {
  const flag = latin1(block, FIELDS.typeflag);
  // A zero byte is the regular file of tar before the standard.
  if (flag === '0' || flag === '\0') return 'file';
  if (flag === '5') return 'directory';
  const fault = OTHER_KINDS.get(flag) ?? 'extension';
  return { fault, reason: `a regular file or a directory, found the type ${JSON.stringify(flag)}` };
}

/** A header with fixed owner, mode and time, so that the same files always give the same bytes. */
export function encodeTarHeader({ path, kind, byteSize }: TarHeader): Uint8Array {
  const block = new Uint8Array(TAR_BLOCK_BYTES);
  const write = ([offset]: readonly [number, number], text: string) =>
    block.set(Buffer.from(text, 'latin1'), offset);
  write(FIELDS.name, path);
  write(FIELDS.mode, kind === 'file' ? '0000644\0' : '0000755\0');
  write(FIELDS.uid, '0000000\0');
  write(FIELDS.gid, '0000000\0');
  write(FIELDS.size, `${byteSize.toString(8).padStart(11, '0')}\0`);
  write(FIELDS.mtime, '00000000000\0');
  write(FIELDS.typeflag, kind === 'file' ? '0' : '5');
  write(FIELDS.magic, MAGIC_USTAR);
  write(FIELDS.checksum, `${checksumOf(block).toString(8).padStart(6, '0')}\0 `);
  return block;
}

/** The sum of all bytes, those of the checksum itself as spaces. */
function checksumOf(block: Uint8Array): number {
  const [offset, length] = FIELDS.checksum;
  let sum = length * 0x20;
  for (const [index, byte] of block.entries()) if (index < offset || index >= offset + length) sum += byte;
  return sum;
}

/** Octal digits that fill a field up to its zeros or spaces; GNU's base-256 for large numbers is none. */
function readOctal(field: string): number | undefined {
  const digits = /^([0-7]{6,11})[\0 ]{1,2}$/.exec(field)?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}

/** A text that ends at its first zero byte, with nothing but zeros behind. */
function readText(field: string): string | undefined {
  return /^([^\0]+)\0*$/.exec(field)?.[1];
}

function bytesOf(block: Uint8Array, [offset, length]: readonly [number, number]): Uint8Array {
  return block.subarray(offset, offset + length);
}

function latin1(block: Uint8Array, field: readonly [number, number]): string {
  return Buffer.from(bytesOf(block, field)).toString('latin1');
}

function malformed(expectation: string): TarFault {
  return { fault: 'malformed', reason: expectation };
}

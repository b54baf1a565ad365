import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { BUNDLE_LIMITS } from '../../signing/index.js';
import { hasSystemCode, looksLikeKey, reasonOf, shownPath, VespidError } from '../errors/index.js';

/** A file named on the command line. */
export interface InputFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Nothing larger fits into a bundle. */
const MAX_INPUT_BYTES = BUNDLE_LIMITS.maxFileBytes;
const CHUNK_BYTES = 64 * 1024;
/** Tools write what a key is for before it: "Bag Attributes". */
const MAX_KEY_PREFACE = 4096;

/**
 * Reads a file, or a pipe such as a shell's `<(command)`, whole.
 *
 * @throws VespidError INPUT_NOT_FOUND, INPUT_WRONG_KIND, INPUT_TOO_LARGE, INPUT_UNREADABLE
 */
export function readInputFile(path: string): InputFile {
  const fd = attempt(path, () => openSync(path, 'r'));
  try {
    if (attempt(path, () => fstatSync(fd)).isDirectory()) throw wrongKind(path, 'a file', 'a directory');
    return { path, bytes: attempt(path, () => readAll(fd, path)) };
  } finally {
    closeSync(fd);
  }
}

/**
 * Reads standard input whole. By its descriptor: what a socket is can not be opened by the name /dev/stdin.
 *
 * @throws VespidError INPUT_TOO_LARGE, INPUT_UNREADABLE
 */
export function readStandardInput(): InputFile {
  const path = 'standard input';
  return { path, bytes: attempt(path, () => readAll(0, path)) };
}

/** Counts what really comes: a pipe or a device has no size. */
function readAll(fd: number, path: string): Uint8Array {
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  for (;;) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    const byteCount = readSync(fd, chunk);
    if (byteCount === 0) return Uint8Array.from(Buffer.concat(chunks));
    byteLength += byteCount;
    if (byteLength > MAX_INPUT_BYTES) {
      throw new VespidError(
        'INPUT_TOO_LARGE',
        `${path}: expected at most ${MAX_INPUT_BYTES} bytes, found more`,
        {
          hint: 'no policy, key or BPF object is that large; is this the right file?',
        },
      );
    }
    chunks.push(chunk.subarray(0, byteCount));
  }
}

/**
 * The file's text.
 *
 * @throws VespidError INPUT_NOT_TEXT: a replacement character in a policy would silently match something else
 */
export function textOf({ path, bytes }: InputFile): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new VespidError('INPUT_NOT_TEXT', `${path}: expected UTF-8 text, found other bytes`, {
      hint: 'save the file as UTF-8; an object starts with the bytes of ELF',
      cause,
    });
  }
}

/**
 * The text of a file whose lines stand in messages about its faults: a key in its place is refused by its kind, before
 * anything quotes it.
 *
 * @param expected what the file should be: `a policy`
 * @throws VespidError INPUT_WRONG_KIND, INPUT_NOT_TEXT
 */
export function sourceTextOf(file: InputFile, expected: string): string {
  const text = textOf(file);
  if (looksLikeKey(text.slice(0, MAX_KEY_PREFACE))) throw wrongKind(file.path, expected, 'a key');
  return text;
}

/**
 * Replaces each directory by its files with one of the given endings, in order of name; other paths stay.
 *
 * @throws VespidError INPUT_NOT_FOUND for what is not there and for a directory without such a file
 */
export function expandDirectories(paths: readonly string[], endings: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (!attempt(path, () => statSync(path)).isDirectory()) return [path];
    const names = attempt(path, () => readdirSync(path));
    const chosen = names.filter((name) => endings.some((ending) => name.endsWith(ending))).sort();
    if (chosen.length > 0) return chosen.map((name) => join(path, name));
    const wanted = endings.map((ending) => `*${ending}`).join(', ');
    throw new VespidError('INPUT_NOT_FOUND', `${path}: expected ${wanted} in this directory, found none`, {
      hint: 'subdirectories are not searched; name each of them',
    });
  });
}

/** The name that a file has in a bundle. */
export function nameOf({ path }: InputFile): string {
  return basename(path);
}

/** By content, whatever the name: `\x7fELF`, the magic of the ELF specification. */
export function isElf({ bytes }: InputFile): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

export function wrongKind(path: string, expected: string, found: string): VespidError {
  return new VespidError('INPUT_WRONG_KIND', `${path}: expected ${expected}, found ${found}`);
}

function attempt<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof VespidError) throw cause;
    if (hasSystemCode(cause, 'ENOENT') || hasSystemCode(cause, 'ENOTDIR')) {
      throw new VespidError('INPUT_NOT_FOUND', `${shownPath(path)}: no such file or directory`, { cause });
    }
    throw new VespidError(
      'INPUT_UNREADABLE',
      // The system's message has the path in it, too.
      looksLikeKey(path) ? `${shownPath(path)} cannot be read` : `${path} cannot be read: ${reasonOf(cause)}`,
      { hint: 'check its permissions, and those of the directories above it', cause },
    );
  }
}

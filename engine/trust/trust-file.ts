import { readFileSync, statSync } from 'node:fs';
import { hasSystemCode, looksLikeKey, VespidError } from '../errors/index.js';

/** A trust policy is a page of YAML, or some pages with all keys in it; anything much larger is another file. */
const MAX_TRUST_FILE_BYTES = 1024 * 1024;
/** Further on, a policy may have keys in it. */
const KEY_START_CHARACTERS = 16;
const HINT = 'give a trust policy: YAML, or the file that `vespid trust sign` wrote';

/** A trust policy, plain or signed, as it stands in its file. */
export interface TrustFile {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/**
 * Reads a trust policy. A key in its place is refused by its kind, before a message quotes its first line.
 *
 * @throws VespidError INPUT_NOT_FOUND, INPUT_WRONG_KIND, INPUT_TOO_LARGE, INPUT_UNREADABLE, INPUT_NOT_TEXT
 */
export function readTrustFile(file: string): TrustFile {
  const bytes = readBytes(file);
  return { bytes, text: textOf(bytes, file) };
}

function readBytes(file: string): Uint8Array {
  try {
    const status = statSync(file);
    if (!status.isFile()) {
      throw new VespidError('INPUT_WRONG_KIND', `${file}: expected a file, found another kind`, {
        hint: HINT,
      });
    }
    if (status.size > MAX_TRUST_FILE_BYTES) {
      throw new VespidError(
        'INPUT_TOO_LARGE',
        `${file}: expected at most ${MAX_TRUST_FILE_BYTES} bytes of trust policy, found ${status.size}`,
        { hint: HINT },
      );
    }
    return Uint8Array.from(readFileSync(file));
  } catch (cause) {
    if (cause instanceof VespidError) throw cause;
    const missing = hasSystemCode(cause, 'ENOENT');
    throw new VespidError(
      missing ? 'INPUT_NOT_FOUND' : 'INPUT_UNREADABLE',
      missing ? `there is no file ${file}` : `${file} cannot be read: ${String(cause)}`,
      { hint: missing ? HINT : 'check its permissions, and those of the directories above it', cause },
    );
  }
}

function textOf(bytes: Uint8Array, file: string): string {
  const text = decodeText(bytes, file);
  if (!looksLikeKey(text.trimStart().slice(0, KEY_START_CHARACTERS))) return text;
  throw new VespidError('INPUT_WRONG_KIND', `${file}: expected a trust policy, found a key`, { hint: HINT });
}

function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new VespidError('INPUT_NOT_TEXT', `${file}: expected UTF-8 text, found other bytes`, {
      hint: HINT,
      cause,
    });
  }
}

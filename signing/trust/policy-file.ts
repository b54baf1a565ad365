import { reasonOf, VespidError } from '../../engine/errors/index.js';
import { parseRfc3339 } from '../documents/rfc3339.js';
import type { YamlPath, YamlSource } from '../documents/yaml-source.js';
import { type PublicKey, parsePublicKey } from '../keys/public-key.js';

/** A trust policy file that is being read: its text, and the way to the files that it names. */
export interface PolicyFile {
  readonly source: YamlSource;
  /** Path, as seen from the working directory; files that the policy names stand beside it. */
  readonly path: string;
  readonly readFile: (path: string) => string;
}

/**
 * The moment that is written at `path` in the policy.
 *
 * @throws VespidError TRUST_POLICY_DATE_INVALID
 */
export function readMoment({ source }: PolicyFile, text: string, path: YamlPath): Date {
  const moment = parseRfc3339(text);
  if (moment !== undefined) return moment;
  const message = `expected an RFC 3339 date and time, found ${JSON.stringify(text)}`;
  throw source.fault('TRUST_POLICY_DATE_INVALID', message, path, {
    hint: 'write it like 2027-01-31T00:00:00Z',
  });
}

/**
 * The key that is written at `path` in the policy: a PEM text, or the path of one.
 *
 * @throws VespidError TRUST_POLICY_KEY_UNREADABLE, KEY_*
 */
export function readPublicKey(file: PolicyFile, text: string, path: YamlPath): PublicKey {
  const inline = text.trimStart().startsWith('-----BEGIN');
  const keyFile = besidePolicy(file, text);
  const pem = inline ? text : readNamedFile(file, keyFile, path, 'public key', 'TRUST_POLICY_KEY_UNREADABLE');
  try {
    return parsePublicKey(pem, inline ? 'the key in the trust policy' : keyFile);
  } catch (cause) {
    if (!(cause instanceof VespidError)) throw cause;
    const hint = cause.hint ?? 'give an Ed25519 public key';
    throw file.source.fault(cause.code, cause.message, path, { hint, cause });
  }
}

/**
 * The text of a file that the policy names at `path`.
 *
 * @param keyFile as {@link besidePolicy} gives it
 * @throws VespidError with `code`
 */
export function readNamedFile(
  { source, readFile }: PolicyFile,
  namedFile: string,
  path: YamlPath,
  what: string,
  code: 'TRUST_POLICY_KEY_UNREADABLE' | 'TRUST_POLICY_ROOT_UNREADABLE',
): string {
  try {
    return readFile(namedFile);
  } catch (cause) {
    const reason = reasonOf(cause);
    throw source.fault(code, `could not read the ${what} ${namedFile}: ${reason}`, path, {
      hint: 'give a path relative to the trust policy, or put the content itself here',
      cause,
    });
  }
}

/** `path` as seen from the directory of the policy. */
export function besidePolicy(file: PolicyFile, path: string): string {
  return path.startsWith('/') ? path : file.path.slice(0, file.path.lastIndexOf('/') + 1) + path;
}

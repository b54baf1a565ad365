import { type ErrorCode, VespidError } from '../../engine/errors/index.js';

/** What of a bundle has a name. */
interface NamedContent {
  readonly name: string;
  readonly policies: readonly { readonly name: string }[];
  readonly objects: readonly { readonly name: string }[];
}

/**
 * The names that a bundle and its files may have. It is the tag grammar of the OCI distribution spec v1.1
 * (`<reference>`) plus `+`: no separator, no `..`, no control or invisible character, no `#` (which parts an
 * object from its program in a subject), nothing that a shell, a terminal or a file system reads specially.
 */
const FILE_NAME = /^[A-Za-z0-9_](?!.*\.\.)[A-Za-z0-9._+-]{0,127}$/;
const BUNDLE_NAME = /^[A-Za-z0-9_](?!.*\.\.)[A-Za-z0-9._-]{0,127}$/;

/** Codes for one fault seen by a signer (usage) or by a verifier (refusal). */
export interface NameFaultCodes {
  readonly invalid: ErrorCode;
  readonly duplicate: ErrorCode;
}

/**
 * Checks the name of a bundle and of all its files; policies and objects share one name space, because they
 * are subjects of one statement.
 *
 * @throws VespidError with the given codes
 */
export function requireValidNames(content: NamedContent, codes: NameFaultCodes): void {
  requirePattern(content.name, BUNDLE_NAME, 'bundle name', codes.invalid);
  const seen = new Set<string>();
  for (const { name } of [...content.policies, ...content.objects]) {
    requirePattern(name, FILE_NAME, 'file name', codes.invalid);
    if (seen.has(name)) {
      throw new VespidError(codes.duplicate, `expected each file name once, found ${name} again`, {
        hint: 'rename one of the two files: policies and objects of a bundle share one name space',
      });
    }
    seen.add(name);
  }
}

function requirePattern(name: string, pattern: RegExp, what: string, code: ErrorCode): void {
  if (pattern.test(name)) return;
  throw new VespidError(
    code,
    `expected a ${what} that matches ${pattern.source}, found ${JSON.stringify(name)}`,
    {
      hint: 'use letters, digits, ".", "_" and "-", at most 128 characters, without ".." or a path',
    },
  );
}

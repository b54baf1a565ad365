import { statSync } from 'node:fs';
import { type PrivateKey, parsePrivateKey } from '../../signing/index.js';

/** A private key from a file, and what its owner should know about the file. */
export interface KeyFile {
  readonly key: PrivateKey;
  readonly warnings: readonly string[];
}

/**
 * Opens a private key file: PKCS#8 PEM, Ed25519.
 *
 * @param readFile gives the bytes of a file named on the command line
 * @throws VespidError KEY_*, and what `readFile` throws
 */
export function openKeyFile(
  path: string,
  readFile: (path: string) => { readonly bytes: Uint8Array },
): KeyFile {
  // Not fatal: a key in DER is better explained as "no PEM" than as "no text".
  const key = parsePrivateKey(new TextDecoder().decode(readFile(path).bytes), path);
  return { key, warnings: warningsAbout(path) };
}

/** Permission bits of everybody but the owner. */
const OTHERS = 0o077;

function warningsAbout(path: string): string[] {
  const { mode } = statSync(path);
  if ((mode & OTHERS) === 0) return [];
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  return [`${path} can be read by others than its owner (mode ${octal}); chmod 600 it`];
}

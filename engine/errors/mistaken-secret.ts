/**
 * What is a secret where a name was meant: a command line that a shell filled in (`--key-env "$KEY"` for
 * `--key-env KEY`). Messages quote names, and end up in logs that many can read.
 */

const PEM_START = '-----BEGIN ';
/** The same in base64, as CI systems keep secrets of one line; of whole groups, which nothing behind them changes. */
const PEM_START_BASE64 = Buffer.from(PEM_START.slice(0, 9)).toString('base64');
/** PKCS#8 of an Ed25519 key (RFC 8410 section 7) up to its seed, as the body of a PEM begins. */
const PRIVATE_KEY_START_BASE64 = Buffer.from('302e020100300506032b6570', 'hex').toString('base64');

export function looksLikeKey(text: string): boolean {
  return [PEM_START, PEM_START_BASE64, PRIVATE_KEY_START_BASE64].some((start) => text.includes(start));
}

/** A path as a message may show it. */
export function shownPath(path: string): string {
  return looksLikeKey(path) ? 'a path that looks like a private key (not shown)' : path;
}

/** The name of a variable as a message may show it: only one that is written as such names are by custom. */
export function shownVariable(name: string): string {
  return /^[A-Z_][A-Z0-9_]{0,63}$/.test(name) ? name : 'a variable whose name is not shown';
}

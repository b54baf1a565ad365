import { shownVariable, VespidError } from '../errors/index.js';
import { warnIfOthersCanRead } from './file-mode.js';
import type { Surroundings } from './surroundings.js';

/** Where a passphrase comes from, as the command line says. */
export interface PassphraseOptions {
  /** A file that holds it as its only line. */
  readonly passphraseFile?: string | undefined;
  /** An environment variable instead of VESPID_PASSPHRASE. */
  readonly passphraseEnv?: string | undefined;
}

export interface Passphrase {
  readonly text: string;
  readonly warnings: readonly string[];
}

export const PASSPHRASE_VARIABLE = 'VESPID_PASSPHRASE';

/** NIST SP 800-63B section 5.1.1.2: at least 8 characters for a secret that people choose. */
const MIN_NEW_PASSPHRASE = 8;
/** No one types more; a larger file is another file. */
const MAX_PASSPHRASE = 1024;

/**
 * The passphrase of an existing key: from the file, else from the environment, else asked for at the terminal.
 *
 * @param keyName names the key in the question
 * @returns undefined when none was given and there is no terminal
 * @throws VespidError KEY_PASSPHRASE_INVALID, SIGNER_VARIABLE_MISSING, INPUT_*
 */
export async function findPassphrase(
  keyName: string,
  options: PassphraseOptions,
  surroundings: Surroundings,
): Promise<Passphrase | undefined> {
  const given = givenPassphrase(options, surroundings);
  if (given !== undefined) return given;
  const text = await surroundings.ask(`Passphrase of ${keyName}: `);
  return text === undefined ? undefined : { text: requireUsable(text, 'the terminal'), warnings: [] };
}

/**
 * The passphrase of a new key, which is asked for twice.
 *
 * @throws VespidError KEY_PASSPHRASE_INVALID, SIGNER_VARIABLE_MISSING, INPUT_*
 */
export async function chooseNewPassphrase(
  options: PassphraseOptions,
  surroundings: Surroundings,
): Promise<Passphrase> {
  const passphrase = givenPassphrase(options, surroundings) ?? (await askTwice(surroundings));
  if ([...passphrase.text].length >= MIN_NEW_PASSPHRASE) return passphrase;
  throw invalid(`at least ${MIN_NEW_PASSPHRASE} characters for a new passphrase, found fewer`);
}

function givenPassphrase(
  { passphraseFile, passphraseEnv }: PassphraseOptions,
  { readFile, environment }: Surroundings,
): Passphrase | undefined {
  if (passphraseFile !== undefined) {
    const text = firstLine(readFile(passphraseFile).bytes, passphraseFile);
    return { text, warnings: warnIfOthersCanRead(passphraseFile) };
  }
  const variable = passphraseEnv ?? PASSPHRASE_VARIABLE;
  const value = environment[variable];
  if (value !== undefined && value !== '') return { text: requireUsable(value, variable), warnings: [] };
  if (passphraseEnv === undefined) return undefined;
  const shown = shownVariable(variable);
  throw new VespidError('SIGNER_VARIABLE_MISSING', `expected a passphrase in ${shown}, found it unset`, {
    hint: `set ${shown} for this command, or leave --passphrase-env away to be asked`,
  });
}

/** The one line of a passphrase file, without its end. */
function firstLine(bytes: Uint8Array, path: string): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return requireUsable(text.replace(/\r?\n$/, ''), path);
  } catch (cause) {
    if (cause instanceof VespidError) throw cause;
    throw invalid(`UTF-8 text in ${path}, found other bytes`, cause);
  }
}

async function askTwice({ ask }: Surroundings): Promise<Passphrase> {
  const first = await ask('New passphrase: ');
  if (first === undefined)
    throw invalid('a passphrase to encrypt with, found none and no terminal to ask at');
  const second = await ask('The same again: ');
  if (first !== second) throw invalid('the same passphrase twice, found two different ones');
  return { text: requireUsable(first, 'the terminal'), warnings: [] };
}

/** Never quotes the passphrase. */
function requireUsable(text: string, origin: string): string {
  if (text === '') throw invalid(`a passphrase from ${origin}, found nothing`);
  if (/[\r\n\0]/.test(text)) throw invalid(`one line from ${origin}, found several`);
  if (text.length > MAX_PASSPHRASE) throw invalid(`at most ${MAX_PASSPHRASE} characters from ${origin}`);
  return text;
}

function invalid(expectation: string, cause?: unknown): VespidError {
  return new VespidError('KEY_PASSPHRASE_INVALID', `expected ${expectation}`, {
    hint: `give it by --passphrase-file FILE (its only line), in ${PASSPHRASE_VARIABLE}, or at a terminal`,
    cause,
  });
}

import { shownVariable, VespidError } from '../errors/index.js';
import { type OpenedPrivateKey, openPem } from './key-file.js';
import type { PassphraseOptions } from './passphrase.js';
import type { Surroundings } from './surroundings.js';

const PEM_START = '-----BEGIN ';

/**
 * Opens a private key that an environment variable holds: the PEM itself, or the base64 of the PEM for CI systems
 * whose secrets are one line. No message quotes the value.
 *
 * @throws VespidError KEY_*, SIGNER_VARIABLE_MISSING, INPUT_*
 */
export async function openEnvironmentKey(
  variable: string,
  options: PassphraseOptions,
  surroundings: Surroundings,
): Promise<OpenedPrivateKey> {
  const value = surroundings.environment[variable] ?? '';
  if (value.trim() === '') {
    throw new VespidError(
      'SIGNER_VARIABLE_MISSING',
      `expected a private key in ${shownVariable(variable)}, found it unset`,
      {
        hint: 'name the variable, not its value (no $); pass the CI secret to this step; secrets are not given to builds of forks',
      },
    );
  }
  return openPem(pemOf(value), `the key in ${variable}`, options, surroundings);
}

/** What is neither stays as it is, for the PEM reader to refuse. */
function pemOf(value: string): string {
  if (value.includes(PEM_START)) return value;
  const decoded = Buffer.from(value, 'base64').toString('latin1');
  return decoded.includes(PEM_START) ? decoded : '';
}

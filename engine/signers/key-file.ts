import { isEncryptedPrivateKey, type PrivateKey, parsePrivateKey } from '../../signing/index.js';
import { warnIfOthersCanRead } from './file-mode.js';
import { findPassphrase, type PassphraseOptions } from './passphrase.js';
import type { Surroundings } from './surroundings.js';

/** A private key, and what its owner should know about where it is kept. */
export interface OpenedPrivateKey {
  readonly signer: PrivateKey;
  readonly warnings: readonly string[];
}

/**
 * Opens a private key file: PKCS#8 PEM, Ed25519, encrypted or not.
 *
 * @throws VespidError KEY_*, SIGNER_VARIABLE_MISSING, INPUT_*
 */
export async function openKeyFile(
  path: string,
  options: PassphraseOptions,
  surroundings: Surroundings,
): Promise<OpenedPrivateKey> {
  // Not fatal: a key in DER is better explained as "no PEM" than as "no text".
  const pem = new TextDecoder().decode(surroundings.readFile(path).bytes);
  const { signer, warnings } = await openPem(pem, path, options, surroundings);
  return { signer, warnings: [...warnIfOthersCanRead(path), ...warnings] };
}

/**
 * Opens a private key from its PEM text, asking for a passphrase only if it is encrypted.
 *
 * @throws VespidError KEY_*, SIGNER_VARIABLE_MISSING, INPUT_*
 */
export async function openPem(
  pem: string,
  name: string,
  options: PassphraseOptions,
  surroundings: Surroundings,
): Promise<OpenedPrivateKey> {
  if (!isEncryptedPrivateKey(pem, name)) return { signer: parsePrivateKey(pem, name), warnings: [] };
  const passphrase = await findPassphrase(name, options, surroundings);
  return { signer: parsePrivateKey(pem, name, passphrase?.text), warnings: passphrase?.warnings ?? [] };
}

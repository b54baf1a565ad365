import { type AttestationSigner, KeySigner, parsePublicKey, type Signer } from '../../signing/index.js';
import { CommandSigner } from './command-signer.js';
import { openEnvironmentKey } from './environment-key.js';
import { openKeyFile } from './key-file.js';
import type { PassphraseOptions } from './passphrase.js';
import type { Surroundings } from './surroundings.js';

/** A key, wherever it is kept. */
export type KeySpec =
  | ({ readonly kind: 'file'; readonly path: string } & PassphraseOptions)
  | ({ readonly kind: 'environment'; readonly variable: string } & PassphraseOptions)
  | {
      readonly kind: 'command';
      /** Program and arguments; no shell. */
      readonly command: string;
      readonly publicKeyPath: string;
      readonly timeoutMs?: number | undefined;
    };

/** A key that is ready to sign, and what its owner should know about it, one sentence each. */
export interface OpenedKey {
  readonly signer: Signer;
  readonly warnings: readonly string[];
}

/**
 * Opens a key to sign anything with.
 *
 * @throws VespidError KEY_*, SIGNER_VARIABLE_MISSING, USAGE, INPUT_*
 */
export async function openKey(spec: KeySpec, surroundings: Surroundings): Promise<OpenedKey> {
  switch (spec.kind) {
    case 'file':
      return openKeyFile(spec.path, spec, surroundings);
    case 'environment':
      return openEnvironmentKey(spec.variable, spec, surroundings);
    case 'command': {
      const pem = new TextDecoder().decode(surroundings.readFile(spec.publicKeyPath).bytes);
      const publicKey = parsePublicKey(pem, spec.publicKeyPath);
      return { signer: new CommandSigner(spec.command, publicKey, spec.timeoutMs), warnings: [] };
    }
  }
}

export interface OpenedSigner {
  readonly signer: AttestationSigner;
  readonly warnings: readonly string[];
}

/**
 * Opens a key to make attestations with.
 *
 * @throws VespidError as {@link openKey}
 */
export async function openSigner(spec: KeySpec, surroundings: Surroundings): Promise<OpenedSigner> {
  const { signer, warnings } = await openKey(spec, surroundings);
  return { signer: new KeySigner(signer), warnings };
}

import { InvalidArgumentError, Option } from 'commander';
import { VespidError } from '../errors/index.js';
import type { KeySpec, PassphraseOptions } from '../signers/index.js';
import { passphraseOptions } from './shared-options.js';

/** Whoever signs, as a command line says it; by the same names wherever something is signed. */
export interface SignerOptions extends PassphraseOptions {
  readonly key?: readonly string[];
  readonly keyEnv?: readonly string[];
  readonly signCommand?: readonly string[];
  readonly publicKey?: readonly string[];
  readonly signTimeout?: number;
}

/** Each can stand several times: every key makes a signature of its own. */
export function signerOptions(): Option[] {
  return [
    repeatable('--key <file>', 'private key: PKCS#8 PEM, Ed25519; repeatable, for several signers'),
    repeatable('--key-env <var>', 'environment variable that holds one: PEM, or base64 of PEM; repeatable'),
    repeatable(
      '--sign-command <command>',
      'program that signs its standard input and prints the signature; no shell; repeatable',
    ),
    repeatable('--public-key <file>', 'public key of the --sign-command, for each in order'),
    new Option('--sign-timeout <seconds>', 'time for a --sign-command (default: 120)').argParser(seconds),
    ...passphraseOptions(),
  ];
}

function repeatable(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string, earlier: readonly string[] = []) => [
    ...earlier,
    value,
  ]);
}

function seconds(text: string): number {
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && value > 0 && value <= 3600) return value;
  throw new InvalidArgumentError('Expected a number of seconds from 1 to 3600.');
}

/**
 * The keys that are to sign: files, then variables, then commands, each in the order of the command line.
 *
 * @throws VespidError USAGE when commands and public keys do not pair
 */
export function keySpecs(options: SignerOptions): readonly KeySpec[] {
  const { key = [], keyEnv = [], passphraseFile, passphraseEnv } = options;
  const passphrase = { passphraseFile, passphraseEnv };
  return [
    ...key.map((path) => ({ kind: 'file' as const, path, ...passphrase })),
    ...keyEnv.map((variable) => ({ kind: 'environment' as const, variable, ...passphrase })),
    ...commandSpecs(options),
  ];
}

function commandSpecs({ signCommand = [], publicKey = [], signTimeout }: SignerOptions): KeySpec[] {
  if (signCommand.length !== publicKey.length) {
    throw new VespidError(
      'USAGE',
      `expected a --public-key for each --sign-command, found ${publicKey.length} for ${signCommand.length}`,
      {
        hint: 'signatures of a command are verified with its public key: --sign-command CMD --public-key FILE',
      },
    );
  }
  const timeoutMs = signTimeout === undefined ? undefined : signTimeout * 1000;
  return signCommand.flatMap((command, index) => {
    const publicKeyPath = publicKey[index];
    return publicKeyPath === undefined
      ? []
      : [{ kind: 'command' as const, command, publicKeyPath, timeoutMs }];
  });
}

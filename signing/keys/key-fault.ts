import { VespidError } from '../../engine/errors/index.js';

/** What can be wrong with a key file, whichever step finds it. `name` names the file in messages. */

export function keyMalformed(name: string, expected: string, found: string, cause?: unknown): VespidError {
  return new VespidError('KEY_MALFORMED', `${name}: expected ${expected}, found ${found}`, {
    hint: 'give an Ed25519 key in PEM, as `vespid keygen` or `openssl genpkey -algorithm ed25519` writes it',
    cause,
  });
}

export function keyAlgorithmUnsupported(name: string, algorithm: string): VespidError {
  return new VespidError(
    'KEY_ALGORITHM_UNSUPPORTED',
    `${name}: expected an Ed25519 key, found ${algorithm}`,
    { hint: 'generate an Ed25519 key with `vespid keygen`' },
  );
}

export function keyEncryptionUnsupported(name: string, found: string): VespidError {
  return new VespidError(
    'KEY_ENCRYPTION_UNSUPPORTED',
    `${name}: expected PBES2 with PBKDF2 or scrypt and AES-CBC, found ${found}`,
    { hint: 'encrypt it anew: openssl pkcs8 -topk8 -scrypt -in KEY -out NEW' },
  );
}

export function passphraseWrong(name: string, cause?: unknown): VespidError {
  return new VespidError('KEY_PASSPHRASE_WRONG', `${name}: the passphrase does not open this key`, {
    hint: 'give the passphrase that the key was encrypted with; a file holds it as its only line',
    cause,
  });
}

export { askAtTerminal } from './ask-at-terminal.js';
export { CommandSigner, DEFAULT_COMMAND_TIMEOUT_MS } from './command-signer.js';
export { type OpenedPrivateKey, openKeyFile } from './key-file.js';
export {
  DEFAULT_FULCIO_URL,
  DEFAULT_REKOR_URL,
  type KeylessSpec,
  openKeylessSigner,
} from './keyless/open-keyless-signer.js';
export { looksLikeKey, shownPath } from './mistaken-secret.js';
export { type KeySpec, type OpenedKey, type OpenedSigner, openKey, openSigner } from './open-signers.js';
export { chooseNewPassphrase, type Passphrase, type PassphraseOptions } from './passphrase.js';
export type { Surroundings } from './surroundings.js';

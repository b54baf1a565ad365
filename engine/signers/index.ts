export { askAtTerminal } from './ask-at-terminal.js';
export { CommandSigner } from './command-signer.js';
export {
  DEFAULT_FULCIO_URL,
  DEFAULT_REKOR_URL,
  type KeylessSpec,
  openKeylessSigner,
} from './keyless/open-keyless-signer.js';
export { type KeySpec, type OpenedKey, type OpenedSigner, openKey, openSigner } from './open-signers.js';
export { chooseNewPassphrase, type PassphraseOptions } from './passphrase.js';
export type { Surroundings } from './surroundings.js';

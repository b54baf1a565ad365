import type { PublicKey } from './public-key.js';

/** Whatever can sign for a key: a key file here, a hardware or cloud key behind a command elsewhere. */
export interface Signer {
  readonly publicKey: PublicKey;
  /** 64 bytes of Ed25519 signature (RFC 8032 section 5.1.6) over `message`. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

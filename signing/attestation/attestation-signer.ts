import type { Signer } from '../keys/signer.js';
import { preAuthenticationEncoding } from './dsse.js';
import { encodeSigstoreBundle } from './sigstore-bundle.js';

/** Makes attestations: with a key, or with an identity that a certificate authority vouches for. */
export interface AttestationSigner {
  /** Who signs, for people: `key 3f2a…`, or an issuer and a subject. */
  readonly label: string;
  /**
   * Signs the DSSE pre-authentication encoding of a payload.
   *
   * @returns the canonical JSON of a Sigstore bundle v0.3 with the payload and this one signature in it
   */
  attest(payloadType: string, payload: Uint8Array): Promise<Uint8Array>;
}

/** An {@link AttestationSigner} whose key the verifier has to know: its key id is the bundle's hint. */
export class KeySigner implements AttestationSigner {
  readonly #signer: Signer;

  constructor(signer: Signer) {
    this.#signer = signer;
  }

  /** Lower-case hexadecimal SHA-256 of the SPKI DER. */
  get keyId(): string {
    return this.#signer.publicKey.keyId;
  }

  get label(): string {
    return `key ${this.keyId}`;
  }

  async attest(payloadType: string, payload: Uint8Array): Promise<Uint8Array> {
    const signature = await this.#signer.sign(preAuthenticationEncoding(payloadType, payload));
    return encodeSigstoreBundle({
      payloadType,
      payload,
      material: { kind: 'key', keyId: this.keyId, signature },
    });
  }
}

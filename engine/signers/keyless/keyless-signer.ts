import type { SignOptions } from 'sigstore';
import { type AttestationSigner, canonicalJson, decodeSigstoreBundle } from '../../../signing/index.js';
import { VespidError } from '../../errors/index.js';
import type { RequestTiming } from './github-identity-token.js';
import type { IdentityToken } from './identity-token.js';
import { answerInvalid, keylessFailure } from './keyless-failure.js';

/** Addresses without a slash at their end. */
export interface SigstoreServices {
  readonly fulcioUrl: string;
  readonly rekorUrl: string;
  /** RFC 3161; absent: the time is that of Rekor's promise alone. */
  readonly timestampUrl?: string;
}

/**
 * Signs with an identity instead of a key: Fulcio certifies a key that lives for this one signature, and Rekor logs
 * the signature, both through the `sigstore` library. Each attestation takes a certificate of its own.
 */
export class KeylessSigner implements AttestationSigner {
  readonly #token: IdentityToken;
  readonly #options: SignOptions;

  constructor(token: IdentityToken, services: SigstoreServices, timing: RequestTiming) {
    this.#token = token;
    this.#options = {
      identityToken: token.text,
      fulcioURL: services.fulcioUrl,
      rekorURL: services.rekorUrl,
      ...(services.timestampUrl === undefined ? {} : { tsaServerURL: services.timestampUrl }),
      timeout: timing.timeoutMs,
      retry: { retries: timing.retries, minTimeout: timing.backoffMs, factor: 2 },
    };
  }

  get label(): string {
    return this.#token.label;
  }

  /**
   * @throws VespidError SIGNER_FULCIO_FAILED, SIGNER_REKOR_FAILED, SIGNER_TIMESTAMP_FAILED, SIGNER_ANSWER_INVALID
   */
  async attest(payloadType: string, payload: Uint8Array): Promise<Uint8Array> {
    // A quarter of a second to import, and only needed here.
    const { attest } = await import('sigstore');
    let bundle: unknown;
    try {
      bundle = await attest(Buffer.from(payload), payloadType, this.#options);
    } catch (error) {
      throw keylessFailure(error);
    }
    return encode(bundle);
  }
}

/** Never store what every verifier would refuse: the form is checked by the verifier's own decoder. */
function encode(bundle: unknown): Uint8Array {
  const bytes = canonicalJson(withoutDefaults(bundle));
  try {
    decodeSigstoreBundle(bytes, 'the attestation');
  } catch (cause) {
    if (!(cause instanceof VespidError)) throw cause;
    throw answerInvalid(cause.message, cause);
  }
  return bytes;
}

/** Protocol Buffers in JSON: empty lists, objects and texts may be left out, and in our form are. */
function withoutDefaults(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDefaults);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => [name, withoutDefaults(member)] as const);
  return Object.fromEntries(members.filter(([, member]) => !isDefault(member)));
}

function isDefault(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === undefined || value === '';
}

import { VespidError } from '../../errors/index.js';
import type { OpenedSigner } from '../open-signers.js';
import type { Surroundings } from '../surroundings.js';
import { findIdentityToken, type TokenSource } from './find-identity-token.js';
import type { RequestTiming } from './github-identity-token.js';
import { KeylessSigner } from './keyless-signer.js';

/** Sigstore's public instance. */
export const DEFAULT_FULCIO_URL = 'https://fulcio.sigstore.dev';
export const DEFAULT_REKOR_URL = 'https://rekor.sigstore.dev';

export interface KeylessSpec {
  readonly fulcioUrl?: string | undefined;
  readonly rekorUrl?: string | undefined;
  /** RFC 3161 timestamp authority beside Rekor. */
  readonly timestampUrl?: string | undefined;
  /** Absent: $SIGSTORE_ID_TOKEN, or GitHub Actions. */
  readonly token?: TokenSource | undefined;
}

/** Rekor answers within a second or two; its slowest percentile takes ten. */
const TIMING: RequestTiming = { timeoutMs: 20_000, retries: 2, backoffMs: 1000 };

/**
 * Opens a signer that has an identity instead of a key. The identity token is fetched at once, so that what is
 * missing is said before anything is compiled; certificates are asked for when it signs.
 *
 * @throws VespidError USAGE, SIGNER_TOKEN_MISSING, SIGNER_TOKEN_INVALID, SIGNER_TOKEN_UNAVAILABLE, INPUT_*
 */
export async function openKeylessSigner(
  spec: KeylessSpec,
  surroundings: Pick<Surroundings, 'readFile' | 'environment'>,
  timing: RequestTiming = TIMING,
): Promise<OpenedSigner> {
  const { fulcioUrl = DEFAULT_FULCIO_URL, rekorUrl = DEFAULT_REKOR_URL, timestampUrl } = spec;
  const services = {
    fulcioUrl: serviceUrl(fulcioUrl, '--fulcio-url'),
    rekorUrl: serviceUrl(rekorUrl, '--rekor-url'),
    ...(timestampUrl === undefined ? {} : { timestampUrl: serviceUrl(timestampUrl, '--timestamp-url') }),
  };
  const token = await findIdentityToken(spec.token, surroundings, new Date(), timing);
  return { signer: new KeylessSigner(token, services, timing), warnings: [] };
}

const LOOPBACK: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/** The identity token goes to Fulcio: whoever reads it on the way can sign in its name. */
function serviceUrl(text: string, option: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.includes(url.hostname));
  if (url === undefined || !isSafe || url.search !== '' || url.hash !== '' || url.username !== '') {
    throw new VespidError('USAGE', `${option}: expected an https URL, found ${JSON.stringify(text)}`, {
      hint: `give the address of the service, like ${DEFAULT_FULCIO_URL}; http is for this machine only`,
    });
  }
  return url.href.replace(/\/+$/, '');
}

import { Option } from 'commander';
import { VespidError } from '../../errors/index.js';
import { DEFAULT_FULCIO_URL, DEFAULT_REKOR_URL, type KeylessSpec } from '../../signers/index.js';

export interface KeylessOptions {
  readonly keyless?: true;
  readonly fulcioUrl?: string;
  readonly rekorUrl?: string;
  readonly timestampUrl?: string;
  readonly identityToken?: string;
}

export function keylessOptions(): Option[] {
  return [
    new Option('--keyless', "sign with this CI job's identity: certified by Fulcio, logged by Rekor"),
    new Option(
      '--identity-token <file>',
      'OIDC token for --keyless, or env:VAR (default: what the CI offers)',
    ),
    new Option('--fulcio-url <url>', `certificate authority for --keyless (default: ${DEFAULT_FULCIO_URL})`),
    new Option('--rekor-url <url>', `transparency log for --keyless (default: ${DEFAULT_REKOR_URL})`),
    new Option('--timestamp-url <url>', 'RFC 3161 timestamp authority for --keyless'),
  ];
}

const ENVIRONMENT = 'env:';

/**
 * The keyless signer that the command line asks for; undefined if it does not.
 *
 * @throws VespidError USAGE for its options without it
 */
export function keylessSpec(options: KeylessOptions): KeylessSpec | undefined {
  const { keyless, identityToken, fulcioUrl, rekorUrl, timestampUrl } = options;
  if (keyless === true) return { fulcioUrl, rekorUrl, timestampUrl, token: tokenSource(identityToken) };
  const idle = Object.entries({ identityToken, fulcioUrl, rekorUrl, timestampUrl }).find(
    ([, value]) => value !== undefined,
  );
  if (idle === undefined) return undefined;
  const flag = `--${idle[0].replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new VespidError('USAGE', `expected --keyless beside ${flag}, found none`, {
    hint: 'add --keyless to sign with an identity, or leave its options away',
  });
}

function tokenSource(text: string | undefined): KeylessSpec['token'] {
  if (text === undefined) return undefined;
  if (!text.startsWith(ENVIRONMENT)) return { kind: 'file', path: text };
  return { kind: 'environment', variable: text.slice(ENVIRONMENT.length) };
}

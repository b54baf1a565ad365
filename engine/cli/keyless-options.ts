import { Option } from 'commander';
import { VespidError } from '../errors/index.js';
import { DEFAULT_FULCIO_URL, DEFAULT_REKOR_URL, type KeylessSpec } from '../signers/index.js';

/** The parsed values of {@link keylessOptions}. */
export interface KeylessOptions {
  readonly keyless?: true;
  readonly fulcioUrl?: string;
  readonly rekorUrl?: string;
  readonly timestampUrl?: string;
  readonly identityTokenFile?: string;
  readonly identityTokenEnv?: string;
}

/** Signing with an identity instead of a key, by the names that Sigstore's other clients use. */
export function keylessOptions(): Option[] {
  return [
    new Option(
      '--keyless',
      'sign with the identity of this CI job or person: Sigstore certifies it, and logs it in public',
    ),
    new Option('--fulcio-url <url>', 'certificate authority').default(undefined, DEFAULT_FULCIO_URL),
    new Option('--rekor-url <url>', 'transparency log').default(undefined, DEFAULT_REKOR_URL),
    new Option('--timestamp-url <url>', 'RFC 3161 timestamp authority (default: the time of the log)'),
    new Option('--identity-token-file <file>', 'OpenID Connect token for the audience sigstore'),
    new Option(
      '--identity-token-env <var>',
      'environment variable that holds it (default: SIGSTORE_ID_TOKEN, or GitHub Actions)',
    ),
  ];
}

/** @throws VespidError USAGE when both sources of a token are named */
export function keylessSpecOf(options: KeylessOptions): KeylessSpec {
  const { fulcioUrl, rekorUrl, timestampUrl, identityTokenFile, identityTokenEnv } = options;
  if (identityTokenFile !== undefined && identityTokenEnv !== undefined) {
    throw new VespidError('USAGE', 'expected one identity token, found --identity-token-file and -env', {
      hint: 'leave one of the two out',
    });
  }
  return { fulcioUrl, rekorUrl, timestampUrl, token: tokenSourceOf(identityTokenFile, identityTokenEnv) };
}

function tokenSourceOf(path: string | undefined, variable: string | undefined): KeylessSpec['token'] {
  if (path !== undefined) return { kind: 'file', path };
  return variable === undefined ? undefined : { kind: 'environment', variable };
}

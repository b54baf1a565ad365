import { VespidError } from '../../errors/index.js';
import type { Surroundings } from '../surroundings.js';
import { type RequestTiming, requestGithubToken } from './github-identity-token.js';
import { type IdentityToken, parseIdentityToken } from './identity-token.js';

/** Where an identity token is: a file, or an environment variable; absent: what the CI system offers. */
export type TokenSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'environment'; readonly variable: string };

/** GitLab's `id_tokens:` conventionally sets it for Sigstore's clients. */
const CONVENTIONAL_VARIABLE = 'SIGSTORE_ID_TOKEN';

/**
 * The identity token to sign with: from `source`, or else $SIGSTORE_ID_TOKEN, or else GitHub Actions.
 *
 * @throws VespidError SIGNER_TOKEN_MISSING, SIGNER_TOKEN_INVALID, SIGNER_TOKEN_UNAVAILABLE, INPUT_*
 */
export async function findIdentityToken(
  source: TokenSource | undefined,
  surroundings: Pick<Surroundings, 'readFile' | 'environment'>,
  now: Date,
  timing: RequestTiming,
): Promise<IdentityToken> {
  const { environment, readFile } = surroundings;
  if (source?.kind === 'file') {
    return parseIdentityToken(new TextDecoder().decode(readFile(source.path).bytes), source.path, now);
  }
  if (source?.kind === 'environment') {
    const value = environment[source.variable] ?? '';
    if (value.trim() !== '') return parseIdentityToken(value, source.variable, now);
    throw missing(`expected an identity token in ${source.variable}, found it unset`);
  }
  const conventional = environment[CONVENTIONAL_VARIABLE] ?? '';
  if (conventional.trim() !== '') return parseIdentityToken(conventional, CONVENTIONAL_VARIABLE, now);
  const fromGithub = await requestGithubToken(environment, timing);
  if (fromGithub !== undefined) return parseIdentityToken(fromGithub, "GitHub's answer", now);
  throw missing('expected an identity token to sign with, found none');
}

function missing(message: string): VespidError {
  return new VespidError('SIGNER_TOKEN_MISSING', message, {
    hint:
      'GitHub Actions: give the job `permissions: { id-token: write }`; GitLab: ' +
      '`id_tokens: { SIGSTORE_ID_TOKEN: { aud: sigstore } }`; elsewhere: --identity-token FILE or env:NAME',
  });
}

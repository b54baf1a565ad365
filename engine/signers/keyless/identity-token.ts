import { VespidError } from '../../errors/index.js';

/** An OpenID Connect token that says who is signing. It is a secret: no message quotes it. */
export interface IdentityToken {
  readonly text: string;
  /** Who is signing, for people; Fulcio decides what the certificate names. */
  readonly label: string;
}

/** GitHub's tokens take 2 KiB; a header of HTTP takes no more than this anyway. */
const MAX_TOKEN_LENGTH = 16 * 1024;
/** JSON Web Signature, compact serialization (RFC 7515 section 7.1): three parts in base64url. */
const COMPACT_JWS = /^[\w-]+\.([\w-]+)\.[\w-]+$/;

/**
 * Reads an identity token. Nothing vouches for it here: Fulcio checks its signature, audience and age.
 *
 * @param where names its source in messages
 * @throws VespidError SIGNER_TOKEN_INVALID
 */
export function parseIdentityToken(text: string, where: string, now: Date): IdentityToken {
  const token = text.trim();
  const claims = token.length > MAX_TOKEN_LENGTH ? undefined : readClaims(token);
  if (claims === undefined) throw invalid(`expected a JSON Web Token in ${where}, found something else`);
  const { iss, sub, exp } = claims;
  if (typeof iss !== 'string' || typeof sub !== 'string') {
    throw invalid(`expected the token in ${where} to have the claims iss and sub, found them missing`);
  }
  if (typeof exp === 'number' && exp * 1000 <= now.getTime()) {
    throw invalid(`expected a valid token in ${where}, found one that expired ${isoTime(exp)}`);
  }
  return { text: token, label: `${subjectOf(claims) ?? sub} (${iss})` };
}

function readClaims(token: string): Readonly<Record<string, unknown>> | undefined {
  const payload = COMPACT_JWS.exec(token)?.[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims)
      ? { ...claims }
      : undefined;
  } catch {
    return undefined;
  }
}

/** What Fulcio names in the certificate: the workflow for GitHub, the address for people. */
function subjectOf({ job_workflow_ref, email }: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof job_workflow_ref === 'string') return `https://github.com/${job_workflow_ref}`;
  return typeof email === 'string' ? email : undefined;
}

/** @param seconds NumericDate (RFC 7519 section 2), of any size */
function isoTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? 'long ago' : `at ${date.toISOString()}`;
}

function invalid(message: string): VespidError {
  return new VespidError('SIGNER_TOKEN_INVALID', message, {
    hint: 'have your CI or identity provider issue a fresh OpenID Connect token with the audience sigstore',
  });
}

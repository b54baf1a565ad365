import { VespidError } from '../../errors/index.js';
import { TransientFailure } from './retry.js';

/** Node's and OpenSSL's codes for a certificate that our authorities do not vouch for. */
const UNTRUSTED_CERTIFICATE = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
const WRONG_CERTIFICATE = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'ERR_TLS_CERT_ALTNAME_INVALID']);
/** The other side does not speak TLS. */
const NOT_TLS = new Set(['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG', 'EPROTO']);
/** Nothing that waiting would change. */
const PERMANENT = new Set(['ENOTFOUND', 'ERR_INVALID_URL', 'UND_ERR_INVALID_ARG']);

/** Why an exchange came to no answer: to be tried again, or said at once. */
export function transportFailure(
  cause: unknown,
  url: URL,
  deadlineMs: number,
): TransientFailure | VespidError {
  if (cause instanceof Error && cause.name === 'TimeoutError') {
    return unreachable(url, `no whole answer within ${Math.round(deadlineMs / 1000)} seconds`, cause);
  }
  const code = systemCodeOf(cause);
  if (UNTRUSTED_CERTIFICATE.has(code)) {
    const hint = `if ${url.host} has a certificate of your own authority, name its PEM file in NODE_EXTRA_CA_CERTS`;
    return unreachable(url, `its certificate is not trusted (${code})`, cause, hint);
  }
  if (WRONG_CERTIFICATE.has(code)) {
    return unreachable(url, `its certificate is not valid for it (${code})`, cause, 'renew the certificate');
  }
  if (NOT_TLS.has(code)) {
    return unreachable(url, 'it does not speak TLS', cause, 'if that is meant, add --plain-http');
  }
  const failure = unreachable(url, code, cause);
  return PERMANENT.has(code) ? failure : new TransientFailure(failure);
}

/** fetch says "fetch failed" and puts what happened underneath, several layers deep for some failures. */
function systemCodeOf(error: unknown): string {
  let found = 'no connection';
  for (let inner: unknown = error; inner instanceof Error; inner = inner.cause) {
    const first: unknown = inner instanceof AggregateError ? inner.errors[0] : inner;
    if (first instanceof Error && 'code' in first && typeof first.code === 'string') found = first.code;
  }
  return found;
}

function unreachable(url: URL, reason: string, cause: unknown, hint?: string): VespidError {
  return new VespidError('REGISTRY_UNREACHABLE', `${url.host} cannot be reached: ${reason}`, {
    hint: hint ?? 'check the name of the registry, the network, and that the registry runs',
    cause,
  });
}

import { type ErrorCode, VespidError } from '../../engine/errors/index.js';

/** The parts of a keyless attestation that can be at fault, and what the person who verifies can do. */
const HINTS = {
  BUNDLE_CERTIFICATE_INVALID:
    'check that the trusted root is that of the Sigstore instance that signed, and up to date; else sign again',
  BUNDLE_LOG_ENTRY_INVALID:
    'the attestation was altered, or logged in a Rekor that the trusted root does not name; sign again',
  BUNDLE_TIMESTAMP_INVALID:
    'sign with a Rekor that promises inclusion, or with a timestamp authority that the trusted root names',
  BUNDLE_SIGNATURE_INVALID: 'the attestation was altered; fetch the bundle again from its source',
} as const;

export type KeylessFault = keyof typeof HINTS;

/** A refusal by verification; `expectation` begins with what was expected. */
export function keylessRefusal(
  code: KeylessFault,
  where: string,
  expectation: string,
  cause?: unknown,
): VespidError {
  return new VespidError(code, `${where}: ${expectation}`, { hint: HINTS[code], cause });
}

/** `code` of `VerificationError` in @sigstore/verify. */
const FAULTS: Readonly<Record<string, KeylessFault>> = {
  CERTIFICATE_ERROR: 'BUNDLE_CERTIFICATE_INVALID',
  PUBLIC_KEY_ERROR: 'BUNDLE_CERTIFICATE_INVALID',
  SIGNATURE_ERROR: 'BUNDLE_SIGNATURE_INVALID',
  TIMESTAMP_ERROR: 'BUNDLE_TIMESTAMP_INVALID',
  TLOG_BODY_ERROR: 'BUNDLE_LOG_ENTRY_INVALID',
  TLOG_ERROR: 'BUNDLE_LOG_ENTRY_INVALID',
  TLOG_INCLUSION_PROMISE_ERROR: 'BUNDLE_LOG_ENTRY_INVALID',
  TLOG_INCLUSION_PROOF_ERROR: 'BUNDLE_LOG_ENTRY_INVALID',
  TLOG_MISSING_INCLUSION_ERROR: 'BUNDLE_LOG_ENTRY_INVALID',
};

/**
 * What a call into @sigstore/verify threw, as a refusal. Its parsers of certificates, timestamps and log entries
 * throw errors of any class at hostile bytes, a TypeError for a missing member for example; none is an acceptance,
 * so each is a refusal with what is known about it.
 *
 * @param parsing what was being read, when the error does not say
 */
export function asKeylessRefusal(error: unknown, where: string, parsing: KeylessFault): VespidError {
  const code = FAULTS[codeOf(error)] ?? parsing;
  return keylessRefusal(code, where, `expected ${EXPECTATIONS[code]}, found: ${reasonOf(error)}`, error);
}

const EXPECTATIONS: Readonly<Record<KeylessFault, string>> = {
  BUNDLE_CERTIFICATE_INVALID: 'a certificate that the trusted root vouches for',
  BUNDLE_LOG_ENTRY_INVALID: 'an entry of this signature in a trusted transparency log',
  BUNDLE_TIMESTAMP_INVALID: 'a trusted time of signing',
  BUNDLE_SIGNATURE_INVALID: "a signature of the certificate's key over this payload",
};

function codeOf(error: unknown): ErrorCode | string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** The message, and that of the error underneath: "Failed to verify certificate chain" alone says little. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message;
}

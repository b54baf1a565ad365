import { type ErrorCode, innermostReasonOf, VespidError } from '../../errors/index.js';

/** `code` of InternalError in @sigstore/sign, what it is to us, and what to do. */
const FAILURES: Readonly<Record<string, readonly [code: ErrorCode, what: string, hint: string]>> = {
  CA_CREATE_SIGNING_CERTIFICATE_ERROR: [
    'SIGNER_FULCIO_FAILED',
    'Fulcio gave no certificate',
    'check --fulcio-url, and that the identity token is fresh and for the audience sigstore',
  ],
  TLOG_CREATE_ENTRY_ERROR: [
    'SIGNER_REKOR_FAILED',
    'Rekor took no entry',
    'check --rekor-url; nothing was signed, so it is safe to run again',
  ],
  TSA_CREATE_TIMESTAMP_ERROR: [
    'SIGNER_TIMESTAMP_FAILED',
    'the timestamp authority gave no timestamp',
    'check --timestamp-url, or leave it out: the promise of Rekor has a time in it',
  ],
};

/**
 * What signing through the `sigstore` library threw, as an error that says which service failed. Its messages about
 * tokens quote them, so only those that name a service are passed on.
 */
export function keylessFailure(error: unknown): VespidError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const failure = FAILURES[code];
  if (failure === undefined) return answerInvalid('it cannot be read', error);
  const [ourCode, what, hint] = failure;
  return new VespidError(ourCode, `${what}: ${innermostReasonOf(error)}`, { hint, cause: error });
}

/** @param fault what is wrong with what came back, as a clause */
export function answerInvalid(fault: string, cause?: unknown): VespidError {
  return new VespidError(
    'SIGNER_ANSWER_INVALID',
    `expected certificate and log entry in their documented form, found that ${fault}`,
    { hint: 'check that --fulcio-url and --rekor-url are those services', cause },
  );
}

import { type ErrorCode, type SourceLocation, VespidError } from '../../engine/errors/index.js';
import { MAX_MESSAGE_LENGTH } from './limits.js';

/** An error in a policy file; a message that quotes too much of the file is cut. */
export function policyError(
  code: ErrorCode,
  location: SourceLocation,
  message: string,
  options: { readonly hint?: string | undefined; readonly cause?: unknown } = {},
): VespidError {
  const { hint, cause } = options;
  const short = message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH)}…` : message;
  return new VespidError(code, short, { location, cause, ...(hint === undefined ? {} : { hint }) });
}

export { ERROR_CODES, type ErrorCode, type ErrorCodeEntry } from './codes.js';
export { closestName, suggestName } from './did-you-mean.js';
export { looksLikeKey, shownPath, shownVariable } from './mistaken-secret.js';
export { innermostReasonOf, reasonOf } from './reason.js';
export { formatSourceLocation, locate, type SourceLocation } from './source-location.js';
export { hasSystemCode } from './system-error.js';
export { formatError, VespidError, type VespidErrorOptions } from './vespid-error.js';

import { VespidError } from '../../errors/index.js';
import type { HttpAnswer } from './http-exchange.js';
import { parseRetryAfter, TransientFailure } from './retry.js';

/** RFC 6585 section 4 and RFC 9110 section 15.6: what the server itself calls its own, passing state. */
const TRANSIENT_STATUSES = new Set([408, 429, 500, 502, 503, 504]);
const MAX_TEXT_LENGTH = 300;

/**
 * What an unwelcome status means.
 *
 * @param task for the message, "a push to HOST/REPOSITORY"
 * @param secrets texts that are taken out of what the registry says
 */
export function statusFailure(
  answer: HttpAnswer,
  task: string,
  secrets: readonly string[],
): VespidError | TransientFailure {
  const { status, headers, url } = answer;
  const said = describeErrors(answer, secrets);
  const message = `${url.host} answers ${task} with status ${status}${said === '' ? '' : `: ${said}`}`;
  if (TRANSIENT_STATUSES.has(status)) {
    const failure = new VespidError('REGISTRY_UNAVAILABLE', message, {
      hint: 'try again later, and look at the log of the registry if it stays so',
    });
    return new TransientFailure(failure, parseRetryAfter(headers.get('retry-after'), new Date()));
  }
  if (status === 403) {
    return new VespidError('REGISTRY_DENIED', message, {
      hint: 'the registry knows who you are: ask its owner for the right to this repository',
    });
  }
  if (status === 404) {
    return new VespidError('REGISTRY_NOT_FOUND', message, {
      hint: 'check registry, repository and tag; some registries also say this to those who may not read',
    });
  }
  return new VespidError('REGISTRY_REFUSED', message, {
    hint: 'check that the address is that of an OCI registry, and what it allows to be pushed',
  });
}

/** `{"errors":[{"code","message"}]}` (OCI distribution spec v1.1, "Error codes") as one line, or nothing. */
function describeErrors({ body }: HttpAnswer, secrets: readonly string[]): string {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return '';
  }
  const listed =
    typeof document === 'object' && document !== null && 'errors' in document ? document.errors : [];
  const lines = (Array.isArray(listed) ? listed : []).slice(0, 3).map(describeEntry);
  const text = lines.filter((line) => line !== '').join('; ');
  const shown = secrets
    .filter((secret) => secret !== '')
    .reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
  return shown.length > MAX_TEXT_LENGTH ? `${shown.slice(0, MAX_TEXT_LENGTH)}…` : shown;
}

function describeEntry(entry: unknown): string {
  if (typeof entry !== 'object' || entry === null) return '';
  const code = 'code' in entry && typeof entry.code === 'string' ? entry.code : '';
  const message = 'message' in entry && typeof entry.message === 'string' ? entry.message : '';
  return [code, message].filter((part) => part !== '').join(', ');
}

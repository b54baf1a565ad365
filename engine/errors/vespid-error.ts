import { ERROR_CODES, type ErrorCode } from './codes.js';
import { formatSourceLocation, type SourceLocation } from './source-location.js';

export interface VespidErrorOptions {
  /** What to do about it, in one sentence. */
  readonly hint?: string;
  /** Where in a text the fault is. */
  readonly location?: SourceLocation;
  /** The error underneath. */
  readonly cause?: unknown;
  /** Further facts for machines (`--json`) and tests. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Long supporting text, shown on demand: a verifier log, for example. */
  readonly log?: string;
}

/**
 * The one error class of Vespid. The message says what was expected, what came and where; `code` is from
 * {@link ERROR_CODES}; `hint` says what to do.
 */
export class VespidError extends Error {
  override readonly name = 'VespidError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly location: SourceLocation | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly log: string | undefined;

  constructor(code: ErrorCode, message: string, options: VespidErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.location = options.location;
    this.details = options.details;
    this.log = options.log;
  }

  /** The process exit code for this error. */
  get exitCode(): 1 | 2 | 3 | 4 {
    return ERROR_CODES[this.code].exit;
  }

  /** The machine-readable form that `--json` prints. */
  toJSON(): Record<string, unknown> {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.location === undefined
        ? {}
        : { file: this.location.file, line: this.location.line, column: this.location.column }),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }
}

/** The human form: location, code, message, the source line with a caret, and the hint. */
export function formatError(error: VespidError): string {
  const where = error.location === undefined ? '' : `${formatSourceLocation(error.location)}: `;
  const lines = [`${where}${error.code}: ${error.message}`];
  if (error.location?.excerpt !== undefined) lines.push(error.location.excerpt);
  if (error.hint !== undefined) lines.push(`hint: ${error.hint}`);
  return lines.join('\n');
}

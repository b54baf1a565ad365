import { type ErrorCode, locate, VespidError } from '../../errors/index.js';

/** UTF-16 units: a program of the most slots that a kernel takes, at 64 a line. */
export const MAX_ASSEMBLY_CHARACTERS = 64_000_000;

/** Of one line: a disassembly carries source lines in comments, but nobody writes one of this length. */
export const MAX_ASSEMBLY_LINE_CHARACTERS = 65_536;

/** UTF-16 units of the text that a message quotes. */
const MAX_QUOTED_CHARACTERS = 40;

/** Half-open range of offsets into the whole text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The text that is assembled, for messages that point into it. */
export class AssemblySource {
  readonly file: string;
  readonly text: string;

  /** @throws VespidError ASSEMBLY_LIMIT */
  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
    if (text.length > MAX_ASSEMBLY_CHARACTERS) {
      throw new VespidError(
        'ASSEMBLY_LIMIT',
        `${file}: ${text.length} characters, limit ${MAX_ASSEMBLY_CHARACTERS}`,
        { hint: 'no kernel takes a program of that length' },
      );
    }
  }

  quote(span: Span): string {
    const text = this.text.slice(span.start, span.end);
    return text.length <= MAX_QUOTED_CHARACTERS ? text : `${text.slice(0, MAX_QUOTED_CHARACTERS)}…`;
  }

  error(code: ErrorCode, span: Span, message: string, hint?: string): VespidError {
    // The excerpt of a line far beyond a screen would bury the message.
    const lineStart = this.text.lastIndexOf('\n', span.start - 1) + 1;
    const isShort = span.start - lineStart < MAX_ASSEMBLY_LINE_CHARACTERS;
    return new VespidError(code, message, {
      ...(isShort ? { location: locate(this.file, this.text, span.start, span.end) } : {}),
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

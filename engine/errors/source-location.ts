/** A place in a text file. Lines and columns count from 1; columns count UTF-16 units. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The source line, then a line with carets under the fault. */
  readonly excerpt?: string;
}

export function formatSourceLocation(location: SourceLocation): string {
  return `${location.file}:${location.line}:${location.column}`;
}

/**
 * The location of `text[startOffset..endOffset)`, with the line it is on and a caret under it.
 * Offsets beyond the text are clamped.
 */
export function locate(
  file: string,
  text: string,
  startOffset: number,
  endOffset = startOffset + 1,
): SourceLocation {
  const start = Math.max(0, Math.min(startOffset, text.length));
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const newline = text.indexOf('\n', start);
  const lineEnd = newline === -1 ? text.length : newline;
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < start; at = text.indexOf('\n', at + 1)) line++;
  const source = text.slice(lineStart, lineEnd).replace(/\r$/, '');
  const caretCount = Math.max(1, Math.min(endOffset, lineEnd) - start);
  const indent = source.slice(0, start - lineStart).replace(/[^\t]/g, ' ');
  const gutter = `${line} | `;
  const excerpt = `${gutter}${source}\n${' '.repeat(gutter.length - 2)}| ${indent}${'^'.repeat(caretCount)}`;
  return { file, line, column: start - lineStart + 1, excerpt };
}

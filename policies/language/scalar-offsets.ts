import type { Scalar } from 'yaml';

const HEX_ESCAPE_LENGTH: Readonly<Record<string, number>> = { x: 4, u: 6, U: 10 };

function isSpace(char: string | undefined): boolean {
  return char === ' ' || char === '\t' || char === '\n' || char === '\r';
}

/** Where the scalar's content starts: after the quote, or after a block's header line. */
function contentStart(text: string, scalar: Scalar): number {
  const start = scalar.range?.[0] ?? 0;
  switch (scalar.type) {
    case 'QUOTE_SINGLE':
    case 'QUOTE_DOUBLE':
      return start + 1;
    case 'BLOCK_FOLDED':
    case 'BLOCK_LITERAL':
      return text.indexOf('\n', start) + 1;
    default:
      return start;
  }
}

/** How many characters of YAML stand at `at` for one character of the value (YAML 1.2.2 sections 5.7, 7.3.2). */
function sourceLength(text: string, at: number, scalar: Scalar): number {
  if (scalar.type === 'QUOTE_DOUBLE' && text[at] === '\\') return HEX_ESCAPE_LENGTH[text[at + 1] ?? ''] ?? 2;
  if (scalar.type === 'QUOTE_SINGLE' && text.startsWith("''", at)) return 2;
  return 1;
}

/** Past an escaped line break, which stands for nothing, with the white space of the next line. */
function skipContinuations(text: string, at: number, scalar: Scalar): number {
  if (scalar.type !== 'QUOTE_DOUBLE') return at;
  let end = at;
  while (text[end] === '\\' && (text[end + 1] === '\n' || text[end + 1] === '\r')) {
    end++;
    while (isSpace(text[end])) end++;
  }
  return end;
}

/**
 * For each UTF-16 unit of a string scalar's value, and for its end, the offset in the YAML text where it
 * stands. YAML only folds white space, so every other character of the value stands in the text in the same
 * order, as itself or as one escape: the offsets of all but folded white space are exact.
 */
export function scalarOffsets(text: string, scalar: Scalar): readonly number[] {
  const value = String(scalar.value);
  const offsets: number[] = [];
  let at = contentStart(text, scalar);
  let end = at;
  while (offsets.length < value.length) {
    at = skipContinuations(text, at, scalar);
    const char = value[offsets.length];
    if (!isSpace(char)) while (isSpace(text[at])) at++;
    const length = sourceLength(text, at, scalar);
    offsets.push(at);
    // `\U0001F600` is one escape for two UTF-16 units.
    const isPair = length === 10 && Number.parseInt(text.slice(at + 2, at + 10), 16) > 0xffff;
    if (isPair) offsets.push(at);
    at += isSpace(char) && length === 1 && !isSpace(text[at]) ? 0 : length;
    if (!isSpace(char)) end = at;
  }
  return [...offsets, end];
}

import type { Scalar } from 'yaml';
import { type ErrorCode, locate, type VespidError } from '../../engine/errors/index.js';
import type { PolicyDocument } from './policy-document.js';
import { policyError } from './policy-error.js';
import { scalarOffsets } from './scalar-offsets.js';

/** Offsets of UTF-16 units in a condition's text; `end` is exclusive. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

/** The text of a condition, and where it stands: errors inside it point into the file. */
export interface ConditionSource {
  readonly text: string;
  /** The YAML form joins lines, so a `//` comment would swallow the lines after it. */
  readonly linesAreFolded: boolean;
  errorAt(code: ErrorCode, range: TextRange, message: string, hint?: string): VespidError;
}

/** A condition that is a text of its own. */
export function plainSource(text: string, file: string): ConditionSource {
  return {
    text,
    linesAreFolded: false,
    errorAt: (code, range, message, hint) =>
      policyError(code, locate(file, text, range.start, range.end), message, { hint }),
  };
}

/** A condition that is a scalar of a YAML document. */
export function scalarSource(document: PolicyDocument, scalar: Scalar): ConditionSource {
  const text = String(scalar.value).trimEnd();
  const [start, end] = scalar.range ?? [0, 0];
  const isFlow = scalar.type !== 'BLOCK_LITERAL' && scalar.type !== 'BLOCK_FOLDED';
  const hasBreaks = document.text.slice(start, end).includes('\n');
  return {
    text,
    linesAreFolded: scalar.type === 'BLOCK_FOLDED' || (isFlow && hasBreaks),
    errorAt: (code, range, message, hint) => {
      const offsets = scalarOffsets(document.text, scalar);
      const endOffset = offsets.at(-1) ?? start;
      const from = range.start < text.length ? (offsets[range.start] ?? endOffset) : endOffset;
      const last = range.end > range.start ? offsets[Math.min(range.end, text.length) - 1] : undefined;
      const location = locate(document.file, document.text, from, (last ?? from) + 1);
      return document.error(code, location, message, hint);
    },
  };
}

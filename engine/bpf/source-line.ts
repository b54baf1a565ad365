import type { LinkedProgram, SourceLine } from '../bytecode/index.js';

/** The source line that an instruction was made of: the last that begins at or before it. */
export function sourceLineOf(
  { lines }: Pick<LinkedProgram, 'lines'>,
  slotIndex: number,
): SourceLine | undefined {
  return lines.findLast((line) => line.slotIndex <= slotIndex);
}

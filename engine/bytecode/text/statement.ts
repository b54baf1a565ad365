import type { Instruction } from '../instruction/instruction.js';
import type { Span } from './assembly-source.js';

/** A name in the text, still to be looked up. */
export interface NameInText extends Span {
  readonly name: string;
}

/** One instruction of the text. What its name stands for is filled in when the whole text is known. */
export interface Statement {
  readonly instruction: Instruction;
  readonly name: NameInText | undefined;
  readonly span: Span;
}

/** What a parser of a part gives: the instruction, and the name in it if there is one. */
export interface Parsed {
  readonly instruction: Instruction;
  readonly name?: NameInText;
}

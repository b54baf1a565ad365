import type { VespidError } from '../../errors/index.js';
import type { Register } from '../isa.js';
import type { AssemblySource, Span } from './assembly-source.js';
import type { NameInText } from './statement.js';
import type { Token } from './tokenize-line.js';

/** Reads the tokens of one line from left to right. */
export class TokenCursor {
  readonly source: AssemblySource;
  readonly #tokens: readonly Token[];
  #next = 0;

  /** @param tokens with an `end` token as the last */
  constructor(source: AssemblySource, tokens: readonly Token[]) {
    this.source = source;
    this.#tokens = tokens;
  }

  /** A token ahead of the next one, which is at 0. */
  peek(ahead = 0): Token {
    const token = this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)];
    if (token === undefined) throw new Error('a line has at least its end token');
    return token;
  }

  take(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.#next++;
    return token;
  }

  /** Whether the tokens ahead are these. */
  isNext(...texts: readonly string[]): boolean {
    return texts.every((text, ahead) => {
      const token = this.peek(ahead);
      return token.kind !== 'end' && token.text === text;
    });
  }

  accept(text: string): boolean {
    if (!this.isNext(text)) return false;
    this.#next++;
    return true;
  }

  /** @throws VespidError ASSEMBLY_SYNTAX */
  expect(...texts: readonly string[]): void {
    for (const text of texts) {
      if (!this.accept(text)) throw this.unexpected(text);
    }
  }

  /** @throws VespidError ASSEMBLY_SYNTAX for anything left on the line */
  expectEnd(): void {
    if (this.peek().kind === 'annotation') this.take();
    if (this.peek().kind !== 'end') throw this.unexpected('the end of the line');
  }

  /** The next token as one of these words, without taking it. */
  peekWord<Word extends string>(words: ReadonlyMap<string, Word>): Word | undefined {
    return this.peek().kind === 'end' ? undefined : words.get(this.peek().text);
  }

  /** The register that the next token is, without taking it: `r1` is of 64 bits, `w1` of 32. */
  peekRegister(): { readonly width: 32 | 64; readonly register: Register } | undefined {
    const match = /^([rw])([0-9]|10)$/.exec(this.peek().text);
    if (match === null) return undefined;
    // The pattern has no other numbers.
    return { width: match[1] === 'w' ? 32 : 64, register: Number(match[2]) as Register };
  }

  /** @throws VespidError ASSEMBLY_SYNTAX if none is next */
  takeRegister(): { readonly width: 32 | 64; readonly register: Register; readonly span: Span } {
    const found = this.peekRegister();
    if (found === undefined) throw this.unexpected('a register, r0 to r10 or w0 to w10');
    return { ...found, span: this.take() };
  }

  /**
   * A register of 64 bits: one that holds an address.
   * @throws VespidError ASSEMBLY_SYNTAX
   */
  takeWideRegister(): Register {
    const { width, register, span } = this.takeRegister();
    if (width === 64) return register;
    throw this.source.error(
      'ASSEMBLY_SYNTAX',
      span,
      `r${register} expected, not its lower half w${register}`,
    );
  }

  /** @throws VespidError ASSEMBLY_SYNTAX if no name is next */
  takeName(): NameInText {
    if (this.peek().kind !== 'name') throw this.unexpected('a name');
    const { text: name, start, end } = this.take();
    return { name, start, end };
  }

  isNumber(): boolean {
    const signs = this.isNext('-') || this.isNext('+') ? 1 : 0;
    return this.peek(signs).kind === 'number';
  }

  /**
   * `5`, `-0x8`, `+3` and, as a sum may have it, `+ -4`.
   * @throws VespidError ASSEMBLY_SYNTAX
   */
  takeNumber(): { readonly value: bigint; readonly span: Span } {
    const { start } = this.peek();
    let isNegative = false;
    for (let signs = 0; signs < 2 && (this.isNext('-') || this.isNext('+')); signs++) {
      if (this.take().text === '-') isNegative = !isNegative;
    }
    if (this.peek().kind !== 'number') throw this.unexpected('a number, decimal or hexadecimal');
    const token = this.take();
    const value = BigInt(token.text);
    return { value: isNegative ? -value : value, span: { start, end: token.end } };
  }

  /**
   * A number of so many bits, as a signed one. An unsigned one of `bits` bits stands for the same bits.
   * @throws VespidError ASSEMBLY_RANGE, ASSEMBLY_SYNTAX
   */
  takeInteger(bits: 16 | 32, signedness: 'signed' | 'either'): number {
    const { value, span } = this.takeNumber();
    const low = -(1n << BigInt(bits - 1));
    const high = 1n << BigInt(signedness === 'signed' ? bits - 1 : bits);
    if (value >= low && value < high) return Number(BigInt.asIntN(bits, value));
    throw this.source.error(
      'ASSEMBLY_RANGE',
      span,
      `${this.source.quote(span)} does not fit into ${bits} bits`,
      `from ${low} to ${high - 1n}`,
    );
  }

  /**
   * A number of 64 bits, as a signed one, and whether it was written with a minus.
   * @throws VespidError ASSEMBLY_RANGE, ASSEMBLY_SYNTAX
   */
  takeInteger64(): { readonly value: bigint; readonly isNegative: boolean; readonly span: Span } {
    const { value, span } = this.takeNumber();
    if (value >= -(1n << 63n) && value < 1n << 64n) {
      return { value: BigInt.asIntN(64, value), isNegative: value < 0n, span };
    }
    const message = `${this.source.quote(span)} does not fit into 64 bits`;
    throw this.source.error('ASSEMBLY_RANGE', span, message);
  }

  /** What is here is not what has to be here. */
  unexpected(expected: string, hint?: string): VespidError {
    const token = this.peek();
    const found = token.kind === 'end' ? 'the end of the line' : this.source.quote(token);
    return this.source.error('ASSEMBLY_SYNTAX', token, `expected ${expected}, found ${found}`, hint);
  }
}

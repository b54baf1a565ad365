import type { MapDefinition } from '../assembled-function.js';
import { MAX_INSTRUCTION_SLOTS } from '../instruction/decode-instructions.js';
import { slotCountOf } from '../instruction/instruction.js';
import { endOfTokens, parseDirective } from './assembly-directive.js';
import type { AssemblySource, Span } from './assembly-source.js';
import { parseStatement } from './parse-statement.js';
import type { NameInText, Statement } from './statement.js';
import { TokenCursor } from './token-cursor.js';
import { tokenizeLine } from './tokenize-line.js';

/** A text taken apart, its names not yet looked up. */
export interface ParsedAssembly {
  readonly functions: readonly FunctionText[];
  readonly maps: readonly MapDefinition[];
}

export interface FunctionText {
  readonly name: string;
  /** Of a program; undefined for a function that only others call. */
  readonly section: string | undefined;
  readonly statements: readonly PlacedStatement[];
  /** Slots that labels stand before. */
  readonly labels: ReadonlyMap<string, number>;
}

export interface PlacedStatement extends Statement {
  readonly slotIndex: number;
}

/**
 * Line by line; the first fault ends it.
 * @param first name and section of the function that a text without `.function` is
 * @throws VespidError ASSEMBLY_SYNTAX, ASSEMBLY_RANGE, ASSEMBLY_LIMIT, ASSEMBLY_SYMBOL_UNKNOWN,
 * ASSEMBLY_SYMBOL_DUPLICATE
 */
export function parseAssembly(
  source: AssemblySource,
  first: { readonly name: string; readonly section: string | undefined },
): ParsedAssembly {
  const parser = new AssemblyParser(source, first);
  const { text } = source;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    parser.line(start, end);
    start = end + 1;
  }
  return parser.finish();
}

class AssemblyParser {
  readonly #source: AssemblySource;
  readonly #functions: FunctionInProgress[];
  readonly #maps: MapDefinition[] = [];
  /** Functions and maps share one name space, as symbols of an object do. */
  readonly #names = new Set<string>();

  constructor(
    source: AssemblySource,
    first: { readonly name: string; readonly section: string | undefined },
  ) {
    this.#source = source;
    this.#functions = [new FunctionInProgress(source, first.name, first.section)];
  }

  line(start: number, end: number): void {
    const tokens = tokenizeLine(this.#source, start, endOfTokens(this.#source.text, start, end));
    const cursor = new TokenCursor(this.#source, tokens);
    // `12:` is the place that disassemblers print; it says nothing that the order of lines does not.
    if (cursor.peek().kind === 'number' && cursor.peek(1).text === ':') {
      cursor.take();
      cursor.take();
    }
    while (cursor.peek().kind === 'name' && cursor.peek(1).text === ':') {
      const { text: name, ...span } = cursor.take();
      cursor.take();
      this.#current.label({ name, ...span });
    }
    if (cursor.peek().kind === 'end') return;
    const directive = parseDirective(cursor, end);
    if (directive === undefined) {
      this.#current.add(parseStatement(cursor));
      return;
    }
    this.#declare(directive.name);
    if (directive.kind === 'map') this.#maps.push(directive.map);
    else {
      this.#functions.push(new FunctionInProgress(this.#source, directive.name.name, directive.section));
    }
  }

  finish(): ParsedAssembly {
    const [first, ...rest] = this.#functions;
    // Directives may come first; then there is nothing in the function that has no name of its own.
    const isFirstEmpty = first?.statements.length === 0 && rest.length > 0;
    return { functions: isFirstEmpty ? rest : this.#functions, maps: this.#maps };
  }

  get #current(): FunctionInProgress {
    const current = this.#functions.at(-1);
    if (current === undefined) throw new Error('there is always a function');
    return current;
  }

  #declare({ name, ...span }: NameInText): void {
    if (this.#names.has(name)) {
      throw this.#source.error('ASSEMBLY_SYMBOL_DUPLICATE', span, `${name} is declared twice`);
    }
    this.#names.add(name);
  }
}

class FunctionInProgress implements FunctionText {
  readonly name: string;
  readonly section: string | undefined;
  readonly statements: PlacedStatement[] = [];
  readonly labels = new Map<string, number>();
  readonly #source: AssemblySource;
  #slotCount = 0;

  constructor(source: AssemblySource, name: string, section: string | undefined) {
    this.#source = source;
    this.name = name;
    this.section = section;
  }

  label({ name, ...span }: NameInText): void {
    if (this.labels.has(name)) throw this.#twice(name, span);
    this.labels.set(name, this.#slotCount);
  }

  add(statement: Statement): void {
    this.statements.push({ ...statement, slotIndex: this.#slotCount });
    this.#slotCount += slotCountOf(statement.instruction);
    if (this.#slotCount <= MAX_INSTRUCTION_SLOTS) return;
    throw this.#source.error(
      'ASSEMBLY_LIMIT',
      statement.span,
      `${this.name} has more than ${MAX_INSTRUCTION_SLOTS} slots`,
      'no kernel takes a longer program',
    );
  }

  #twice(name: string, span: Span) {
    return this.#source.error(
      'ASSEMBLY_SYMBOL_DUPLICATE',
      span,
      `label ${name} is placed twice in ${this.name}`,
    );
  }
}

import { closestName, VespidError } from '../../errors/index.js';
import type { AssembledFunction, MapDefinition, SymbolReference } from '../assembled-function.js';
import { encodeInstruction, encodeInstructions } from '../instruction/encode-instructions.js';
import { helperId } from '../instruction/helper-function.js';
import { HELPER } from '../instruction/helper-functions.generated.js';
import type { Instruction } from '../instruction/instruction.js';
import { AssemblySource } from './assembly-source.js';
import {
  type FunctionText,
  type ParsedAssembly,
  type PlacedStatement,
  parseAssembly,
} from './parse-assembly.js';
import type { NameInText } from './statement.js';

export interface AssembleOptions {
  /** Of the text, for messages. */
  readonly file?: string;
  /** Of the function that a text without `.function` is; `main` if left out. */
  readonly functionName?: string;
  /** Section of that function, which makes it a program; none if left out. */
  readonly section?: string;
}

/** What a text declares, ready for the object writer. */
export interface AssembledText {
  readonly programs: readonly { readonly section: string; readonly function: AssembledFunction }[];
  readonly subprograms: readonly AssembledFunction[];
  readonly maps: readonly MapDefinition[];
}

/**
 * Assembles text in the form of llvm-objdump or of the kernel, mixed as one likes: what the disassembler prints
 * (its slot numbers, `<target>` and comments after `;`, `#` and `//` are passed over), and labels (`out:`), names of
 * helpers, maps and functions instead of numbers. `.function` and `.map` declare functions and maps.
 * @throws VespidError ASSEMBLY_SYNTAX, ASSEMBLY_RANGE, ASSEMBLY_SYMBOL_UNKNOWN, ASSEMBLY_SYMBOL_DUPLICATE,
 * ASSEMBLY_LIMIT; each with line, column and the text with a caret
 */
export function assemble(text: string, options: AssembleOptions = {}): AssembledText {
  const { file = 'assembly', functionName: name = 'main', section } = options;
  const source = new AssemblySource(file, text);
  const parsed = parseAssembly(source, { name, section });
  const programs: { section: string; function: AssembledFunction }[] = [];
  const subprograms: AssembledFunction[] = [];
  for (const functionText of parsed.functions) {
    const assembled = new FunctionAssembler(source, parsed, functionText).assemble();
    if (functionText.section === undefined) subprograms.push(assembled);
    else programs.push({ section: functionText.section, function: assembled });
  }
  return { programs, subprograms, maps: parsed.maps };
}

/**
 * The instructions of a text that needs no object: one function, and no names but labels and helpers.
 * @throws VespidError as {@link assemble}
 */
export function assembleInstructions(text: string, file = 'assembly'): Instruction[] {
  const source = new AssemblySource(file, text);
  const parsed = parseAssembly(source, { name: 'main', section: undefined });
  const [only, ...more] = parsed.functions;
  if (only === undefined || more.length > 0 || parsed.maps.length > 0) {
    throw new VespidError(
      'ASSEMBLY_SYMBOL_UNKNOWN',
      `${file}: functions and maps have to be written as an object`,
      {
        hint: 'leave out .function and .map, or assemble into an object',
      },
    );
  }
  return new FunctionAssembler(source, parsed, only).instructions();
}

/** Looks up the names in one function. */
class FunctionAssembler {
  readonly #source: AssemblySource;
  readonly #text: ParsedAssembly;
  readonly #function: FunctionText;
  readonly #references: SymbolReference[] = [];

  constructor(source: AssemblySource, text: ParsedAssembly, functionText: FunctionText) {
    this.#source = source;
    this.#text = text;
    this.#function = functionText;
  }

  instructions(): Instruction[] {
    return this.#function.statements.map((statement) => this.#resolved(statement));
  }

  assemble(): AssembledFunction {
    const instructions = encodeInstructions(this.instructions());
    const { name } = this.#function;
    return { name, instructions, symbolReferences: this.#references, fieldReferences: [] };
  }

  #resolved(statement: PlacedStatement): Instruction {
    const { instruction, name, slotIndex } = statement;
    if (name === undefined) return instruction;
    switch (instruction.kind) {
      case 'jump':
      case 'jump-if':
      case 'may-goto':
        return this.#jump({ ...instruction, offset: this.#distance(name, slotIndex) }, statement);
      case 'call-local':
        return this.#call(name, slotIndex);
      case 'load-immediate64':
        return this.#address(instruction, name, slotIndex);
      default:
        throw new Error(`${instruction.kind} takes no name`);
    }
  }

  #distance(name: NameInText, slotIndex: number): number {
    const target = this.#function.labels.get(name.name);
    if (target === undefined) {
      throw this.#unknown(
        name,
        `no label ${name.name} in ${this.#function.name}`,
        this.#function.labels.keys(),
      );
    }
    return target - slotIndex - 1;
  }

  #jump<Jump extends Instruction>(jump: Jump, { span }: PlacedStatement): Jump {
    try {
      encodeInstruction(jump, 'jump');
    } catch (cause) {
      if (!(cause instanceof VespidError)) throw cause;
      const message = 'the label is more than 32767 slots away';
      throw this.#source.error('ASSEMBLY_RANGE', span, message, 'use gotol, which reaches everything');
    }
    return jump;
  }

  #call(name: NameInText, slotIndex: number): Instruction {
    if (this.#function.labels.has(name.name)) {
      return { kind: 'call-local', offset: this.#distance(name, slotIndex) };
    }
    if (this.#hasFunction(name.name)) {
      this.#references.push({ kind: 'call', slotIndex, target: name.name });
      return { kind: 'call-local', offset: -1 };
    }
    const id = helperId(name.name);
    if (id !== undefined) return { kind: 'call-helper', helperId: id };
    const helpers = Object.keys(HELPER).map((helper) => `bpf_${helper}`);
    const known = [...this.#function.labels.keys(), ...this.#text.functions.map((f) => f.name), ...helpers];
    throw this.#unknown(name, `no function, label or helper ${name.name}`, known);
  }

  #address(
    instruction: Extract<Instruction, { kind: 'load-immediate64' }>,
    name: NameInText,
    slotIndex: number,
  ): Instruction {
    const { destination, value } = instruction;
    if (value !== 0n) {
      throw this.#source.error(
        'ASSEMBLY_SYNTAX',
        name,
        `${name.name}: an address in it cannot be assembled yet`,
      );
    }
    if (this.#text.maps.some((map) => map.name === name.name)) {
      this.#references.push({ kind: 'map', slotIndex, map: name.name });
      return instruction;
    }
    if (this.#function.labels.has(name.name)) {
      const offset = this.#distance(name, slotIndex);
      return { kind: 'load-address', destination, address: { kind: 'function', offset } };
    }
    if (this.#hasFunction(name.name)) {
      this.#references.push({ kind: 'function-address', slotIndex, target: name.name });
      return { kind: 'load-address', destination, address: { kind: 'function', offset: 0 } };
    }
    const maps = this.#text.maps.map((map) => map.name);
    throw this.#unknown(name, `no map or function ${name.name}`, [
      ...maps,
      ...this.#text.functions.map((f) => f.name),
    ]);
  }

  /** Programs cannot be called: the kernel's entry is another than a function's. */
  #hasFunction(name: string): boolean {
    return this.#text.functions.some((f) => f.name === name && f.section === undefined);
  }

  #unknown(name: NameInText, message: string, known: Iterable<string>): VespidError {
    const near = closestName(name.name, known);
    const hint = near === undefined ? undefined : `did you mean ${near}?`;
    return this.#source.error('ASSEMBLY_SYMBOL_UNKNOWN', name, message, hint);
  }
}

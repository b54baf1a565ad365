import { basename } from 'node:path';
import {
  conformanceGroupsOf,
  type DisassembledInstruction,
  type DisassemblyStyle,
  disassembleFunction,
  mapTypeName,
  type ObjectFile,
  type ObjectFunction,
} from '../bytecode/index.js';

/** One function of an object, taken apart. */
export interface DisassembledFunction {
  readonly name: string;
  readonly section: string;
  readonly isProgram: boolean;
  readonly groups: readonly string[];
  readonly instructions: readonly DisassembledInstruction[];
}

/** Widest instruction that comments are lined up behind. */
const COMMENT_COLUMN = 48;

export function disassembleFunctions(
  object: ObjectFile,
  functions: readonly ObjectFunction[],
  style: DisassemblyStyle,
): DisassembledFunction[] {
  return functions.map((f) => {
    const instructions = disassembleFunction(object, f, style);
    return {
      name: f.name,
      section: f.section,
      isProgram: object.programs.includes(f),
      groups: conformanceGroupsOf(instructions.map(({ instruction }) => instruction)),
      instructions,
    };
  });
}

/**
 * The listing, which is assembler text again: maps and functions are declared, and all else that `vespid asm` does
 * not take in is a comment.
 */
export function listing(object: ObjectFile, functions: readonly DisassembledFunction[]): string {
  const lines = [
    ...object.maps.map(
      ({ name, type, keySize, valueSize, maxEntries, flags }) =>
        `.map ${name} type=${mapTypeName(type) ?? type} key=${keySize} value=${valueSize} ` +
        `entries=${maxEntries} flags=0x${flags.toString(16)}`,
    ),
    ...functions.flatMap(functionLines),
  ];
  // A symbol may have a line feed in its name; it must not look like an instruction of its own.
  return lines.map((line) => line.replaceAll('\n', '\\n')).join('\n');
}

function functionLines(f: DisassembledFunction): string[] {
  const declaration = f.isProgram
    ? `.function ${f.name} ${f.section}`
    : `.function ${f.name} ; in ${f.section}`;
  let shown = '';
  return [
    '',
    declaration,
    ...f.instructions.flatMap(({ slotIndex, text, comments, source }) => {
      const before = shown;
      if (source !== undefined) {
        // Source may hold anything, a line feed too.
        shown = `; ${basename(source.fileName)}:${source.line}: ${oneLine(source.source)}`;
      }
      const line = `${String(slotIndex).padStart(6)}: ${text}`;
      const behind = comments.length === 0 ? '' : ` ; ${comments.map(oneLine).join('; ')}`;
      return [
        ...(shown === before ? [] : [shown]),
        behind === '' ? line : `${line.padEnd(COMMENT_COLUMN)}${behind}`,
      ];
    }),
  ];
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

import { Command, Option } from 'commander';
import {
  conformanceGroupsOf,
  DISASSEMBLY_STYLES,
  type DisassemblyStyle,
  decodeInstructions,
  encodeInstructions,
  formatInstruction,
  type ObjectFile,
  type ObjectFunction,
  placedInstructions,
  readObject,
} from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { type DisassembledFunction, disassembleFunctions, listing } from '../disassembly-listing.js';
import { helpNotes } from '../help-text.js';
import { type InputFile, isElf, nameOf, readInputFile } from '../input-file.js';
import { escapeLines } from '../outcome.js';
import { printReport, type Report } from '../report.js';
import { jsonOption, verboseOption } from '../shared-options.js';

interface DisasmOptions {
  readonly section?: string;
  readonly program?: string;
  readonly style: DisassemblyStyle;
  readonly raw?: boolean;
}

export function disasmCommand(): Command {
  return new Command('disasm')
    .description('show the instructions of a BPF object as text')
    .argument('<object>', 'ELF object, or a file of plain instructions with --raw')
    .option('--section <name>', 'only the functions of this section')
    .option('--program <name>', 'only this program or function')
    .addOption(
      new Option('--style <form>', "llvm-objdump's form, or that of the kernel's verifier log")
        .choices([...DISASSEMBLY_STYLES])
        .default('llvm'),
    )
    .option('--raw', 'the file is little-endian instructions and nothing else')
    .addOption(jsonOption())
    .addOption(verboseOption())
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          [
            'vespid disasm probe.bpf.o',
            'every function, with source lines, CO-RE fields and maps as comments',
          ],
          ['vespid disasm probe.bpf.o --program on_exec --style kernel', 'to hold beside a verifier log'],
          ['vespid disasm probe.bpf.o | vespid asm - --out copy.bpf.o', 'the listing is assembler text'],
        ],
        json: `
{ "ok": true, "object": path, "functions": [ { "name", "section", "isProgram", "groups": [RFC 9669 group],
    "instructions": [ { "slot", "bytes": hex, "text", "comments": [text],
      "source" (where a line begins): { "file", "line", "column", "text" } } ] } ] }`,
      }),
    )
    .action(printReport(disasm));
}

function disasm(path: string, options: DisasmOptions): Report {
  const file = readInputFile(path);
  if (options.raw === true) return disasmRaw(file, options.style);
  if (!isElf(file)) {
    throw new VespidError('INPUT_WRONG_KIND', `${path}: expected an ELF object, found something else`, {
      hint: 'plain instructions need --raw',
    });
  }
  const object = readObject(file.bytes, nameOf(file));
  const functions = disassembleFunctions(object, chosenFunctions(object, options), options.style);
  return {
    text: escapeLines(listing(object, functions).trimStart()),
    json: { object: path, functions: functions.map(functionJson) },
  };
}

function disasmRaw(file: InputFile, style: DisassemblyStyle): Report {
  const instructions = decodeInstructions(file.bytes, { label: nameOf(file) });
  const lines = [...placedInstructions(instructions)].map(({ slotIndex, instruction }) => ({
    slot: slotIndex,
    bytes: hexOf(encodeInstructions([instruction])),
    text: formatInstruction(instruction, style),
    comments: [],
  }));
  const groups = conformanceGroupsOf(instructions);
  return {
    text: lines.map(({ slot, text }) => `${String(slot).padStart(6)}: ${text}`).join('\n'),
    json: {
      object: file.path,
      functions: [{ name: '', section: '', isProgram: false, groups, instructions: lines }],
    },
  };
}

/** @throws VespidError OBJECT_PROGRAM_UNKNOWN naming what there is */
function chosenFunctions(object: ObjectFile, { section, program }: DisasmOptions): ObjectFunction[] {
  const all = [...object.programs, ...object.subprograms];
  const inSection = all.filter((f) => section === undefined || f.section === section);
  if (inSection.length === 0 && section !== undefined) {
    throw unknown(`${object.name}: no function in section ${section}`, 'sections', all, (f) => f.section);
  }
  const named = inSection.filter((f) => program === undefined || f.name === program);
  if (named.length === 0 && program !== undefined) {
    throw unknown(`${object.name}: no function ${program}`, 'functions', inSection, (f) => f.name);
  }
  return named;
}

function unknown(
  message: string,
  what: string,
  functions: readonly ObjectFunction[],
  nameOfFunction: (f: ObjectFunction) => string,
): VespidError {
  const names = [...new Set(functions.map(nameOfFunction))];
  return new VespidError('OBJECT_PROGRAM_UNKNOWN', message, {
    hint: names.length === 0 ? `it has no ${what}` : `its ${what}: ${names.join(', ')}`,
  });
}

function functionJson({ instructions, ...f }: DisassembledFunction) {
  return {
    ...f,
    instructions: instructions.map(({ slotIndex, instruction, text, comments, source }) => ({
      slot: slotIndex,
      bytes: hexOf(encodeInstructions([instruction])),
      text,
      comments,
      ...(source === undefined
        ? {}
        : {
            source: {
              file: source.fileName,
              line: source.line,
              column: source.column,
              text: source.source,
            },
          }),
    })),
  };
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

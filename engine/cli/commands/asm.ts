import { basename, extname } from 'node:path';
import { Command } from 'commander';
import {
  assemble,
  assembleInstructions,
  encodeInstructions,
  SLOT_BYTES,
  writeObject,
} from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { helpNotes } from '../help-text.js';
import { readInputFile, readStandardInput, sourceTextOf } from '../input-file.js';
import { replaceFile } from '../output-file.js';
import { printReport, type Report } from '../report.js';
import { jsonOption, verboseOption } from '../shared-options.js';

const OBJECT_MODE = 0o644;

interface AsmOptions {
  readonly out?: string;
  readonly section?: string;
  readonly license: string;
  readonly name: string;
  readonly raw?: boolean;
}

export function asmCommand(): Command {
  return new Command('asm')
    .description('assemble text, as disasm prints it, into a BPF object')
    .argument('<file>', 'assembler text, - for standard input')
    .option('--out <file>', 'object to write; FILE.bpf.o of FILE.s in this directory if left out')
    .option('--section <name>', 'what the instructions before any .function are: xdp, raw_tp/sched_switch')
    .option('--license <name>', 'license that the kernel is told; GPL for helpers that need it', '')
    .option('--name <name>', 'name of the program of --section', 'main')
    .option('--raw', 'write the instructions alone, little-endian, without an object around them')
    .addOption(jsonOption())
    .addOption(verboseOption())
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          [
            "echo 'r0 = 2\nexit' | vespid asm - --section xdp --out pass.bpf.o",
            'a program that passes each packet',
          ],
          [
            'vespid asm probe.s --license GPL',
            'a file that declares its maps (.map) and programs (.function)',
          ],
        ],
        json: `
{ "ok": true, "path", "byteSize", "programs": [ { "name", "section", "instructionCount" } ],
  "subprograms": [ { "name", "instructionCount" } ], "maps": [name] }`,
      }),
    )
    .action(printReport(asm));
}

function asm(path: string, options: AsmOptions): Report {
  const out = options.out ?? defaultOutput(path, options.raw === true);
  const input = path === '-' ? readStandardInput() : readInputFile(path);
  const text = sourceTextOf(input, 'assembler text');
  return options.raw === true ? asmRaw(text, input.path, out) : asmObject(text, input.path, out, options);
}

function asmRaw(text: string, file: string, out: string): Report {
  const bytes = encodeInstructions(assembleInstructions(text, file));
  replaceFile(out, bytes, OBJECT_MODE);
  return {
    text: `wrote ${out}: ${bytes.byteLength / SLOT_BYTES} instruction slots`,
    json: { path: out, byteSize: bytes.byteLength, programs: [], subprograms: [], maps: [] },
  };
}

function asmObject(text: string, file: string, out: string, options: AsmOptions): Report {
  const { license, name: functionName, section } = options;
  const assembled = assemble(text, { file, functionName, ...(section === undefined ? {} : { section }) });
  if (assembled.programs.length === 0) {
    throw new VespidError('USAGE', `${file}: no program: nothing says what the kernel would run it for`, {
      hint: 'give --section xdp or the like, or begin each program with .function NAME SECTION',
    });
  }
  const bytes = writeObject({
    ...assembled,
    license,
    constants: [],
    kernelTypes: [],
    metadata: new Uint8Array(),
  });
  replaceFile(out, bytes, OBJECT_MODE);
  const count = (f: { readonly instructions: Uint8Array }) => f.instructions.byteLength / SLOT_BYTES;
  const programs = assembled.programs.map(({ section: of, function: f }) => ({
    name: f.name,
    section: of,
    instructionCount: count(f),
  }));
  return {
    text: [
      `wrote ${out}`,
      ...programs.map((p) => `  ${p.section}: ${p.name}, ${p.instructionCount} instruction slots`),
    ].join('\n'),
    json: {
      path: out,
      byteSize: bytes.byteLength,
      programs,
      subprograms: assembled.subprograms.map((f) => ({ name: f.name, instructionCount: count(f) })),
      maps: assembled.maps.map((map) => map.name),
    },
  };
}

function defaultOutput(path: string, isRaw: boolean): string {
  if (path === '-') {
    throw new VespidError('USAGE', 'standard input has no name to derive that of the object from', {
      hint: 'give --out FILE',
    });
  }
  return `${basename(path, extname(path))}${isRaw ? '.bin' : '.bpf.o'}`;
}

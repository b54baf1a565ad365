import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  assembleInstructions,
  type ByteOrder,
  decodeInstructions,
  encodeInstructions,
  formatInstruction,
  type Instruction,
  placedInstructions,
} from '../../../engine/bytecode/index.js';
import { missingTool, runTool, withTemporaryDirectory } from '../external-tools.js';
import { anyInstruction } from '../instruction/random-instruction.js';

const FIXTURES = ['every-instruction.bpf.c', 'every-feature.bpf.c'] as const;
const MACHINES = [
  { target: 'bpfel', byteOrder: 'little-endian' },
  { target: 'bpfeb', byteOrder: 'big-endian' },
] as const satisfies readonly { target: string; byteOrder: ByteOrder }[];
const CPUS = ['v1', 'v2', 'v3', 'v4'] as const;

/** A compiler and two tools run in a row, perhaps beside a whole suite. */
const TOOLS_TIMEOUT_MS = 60_000;

const reason = missingTool('clang-19') ?? missingTool('llvm-mc-19');

/** LLVM 19's instruction printer and parser are the oracle: neither shares a line with ours. */
describe.skipIf(reason).each(MACHINES)(`$target${reason ?? ''}`, ({ target, byteOrder }) => {
  describe.each(CPUS)('-mcpu=%s', (cpu) => {
    it.each(FIXTURES)('%s: each line is that of llvm-objdump', { timeout: TOOLS_TIMEOUT_MS }, (fixture) => {
      withTemporaryDirectory((directory) => {
        const object = join(directory, 'object.o');
        const source = fileURLToPath(new URL(`../../fixtures/bytecode/${fixture}`, import.meta.url));
        runTool('clang-19', [`--target=${target}`, `-mcpu=${cpu}`, '-O2', '-g', '-c', source, '-o', object]);
        const sections = objdumpLines(object, cpu);
        expect(sections.size).toBeGreaterThan(1);
        for (const [section, theirs] of sections) {
          const bytes = sectionBytes(object, section, directory);
          const code = decodeInstructions(bytes, { byteOrder, label: section });
          expect(ourLines(code, cpu >= 'v3')).toEqual(theirs);
          expect(encodeInstructions(code, byteOrder)).toEqual(bytes);
        }
      });
    });
  });

  it('llvm-mc assembles our text into the same bytes', { timeout: TOOLS_TIMEOUT_MS }, () => {
    const code = fc.sample(anyInstruction.filter(isKnownToLlvm), { numRuns: 3000, seed: 9669 });
    const text = code.map((instruction) => plainText(instruction)).join('\n');
    withTemporaryDirectory((directory) => {
      const [source, object] = [join(directory, 'code.s'), join(directory, 'code.o')];
      writeFileSync(source, `${text}\n`);
      runTool('llvm-mc-19', [`--triple=${target}`, '-mcpu=v4', '--filetype=obj', source, '-o', object]);
      expect(hexLines(sectionBytes(object, '.text', directory))).toEqual(
        hexLines(encodeInstructions(code, byteOrder)),
      );
    });
    expect(assembleInstructions(text)).toEqual(code);
  });
});

/** With half registers, LLVM prints them wherever `-mcpu` has them. */
function plainText(instruction: Instruction, halfRegisters = true): string {
  return formatInstruction(instruction, 'llvm', { helperNames: false, halfRegisters });
}

function ourLines(code: readonly Instruction[], halfRegisters: boolean): string[] {
  return [...placedInstructions(code)].map(({ slotIndex, instruction }) => {
    // Ours marks a local call by its sign; llvm-objdump prints that of a helper and of a function alike.
    const text = plainText(instruction, halfRegisters).replace(/^call \+/, 'call ');
    return `${slotIndex}: ${text}`;
  });
}

/** The lines of `llvm-objdump -d` by section, without the names of jump targets. */
function objdumpLines(object: string, cpu: string): Map<string, string[]> {
  const sections = new Map<string, string[]>();
  let lines: string[] = [];
  const text = runTool('llvm-objdump-19', ['-d', '--no-show-raw-insn', `--mcpu=${cpu}`, object]);
  for (const line of text.split('\n')) {
    const section = /^Disassembly of section (.+):$/.exec(line)?.[1];
    if (section !== undefined) {
      lines = [];
      sections.set(section, lines);
    }
    const match = /^\s+([0-9]+):\s+(.*?)(\s+<[^<>]*>)?$/.exec(line);
    if (match !== null) lines.push(`${match[1]}: ${match[2]?.replace(/\s+/g, ' ')}`);
  }
  return sections;
}

function sectionBytes(object: string, section: string, directory: string): Uint8Array {
  const file = join(directory, 'section.bin');
  runTool('llvm-objcopy-19', [`--dump-section=${section}=${file}`, object, join(directory, 'copy.o')]);
  return new Uint8Array(readFileSync(file));
}

function hexLines(bytes: Uint8Array): string[] {
  return (
    Buffer.from(bytes)
      .toString('hex')
      .match(/.{1,16}/g) ?? []
  );
}

/** What LLVM 19 can neither print nor parse, or parses with fields missing. */
function isKnownToLlvm(instruction: Instruction): boolean {
  switch (instruction.kind) {
    // LLVM 20.
    case 'load-acquire':
    case 'store-release':
      return false;
    // Made of symbols and relocations.
    case 'call-local':
    case 'call-kfunc':
      return false;
    case 'call-helper':
      return instruction.helperId >= 0;
    // Its parser takes no offset beyond 16 bits, and a relative one is what text can have.
    case 'jump':
      return !instruction.isLong || (instruction.offset >= -0x8000 && instruction.offset <= 0x7fff);
    case 'load-packet':
      return instruction.index === undefined || instruction.offset === 0;
    // Its instruction has no place for the upper half.
    case 'load-address': {
      const { address } = instruction;
      switch (address.kind) {
        case 'map-value':
        case 'map-index-value':
          return address.byteOffset === 0;
        case 'variable':
          return address.btfFd === 0;
        default:
          return true;
      }
    }
    default:
      return true;
  }
}

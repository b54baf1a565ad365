import { placedInstructions } from '../instruction/decode-instructions.js';
import type { Instruction } from '../instruction/instruction.js';
import type { DisassemblyStyle, FormOptions } from './disassembly-style.js';
import { kernelForm } from './kernel-form.js';
import { llvmForm } from './llvm-form.js';

/** One instruction as text, which {@link assembleInstructions} takes back. */
export function formatInstruction(
  instruction: Instruction,
  style: DisassemblyStyle = 'llvm',
  options: FormOptions = {},
): string {
  return style === 'llvm' ? llvmForm(instruction, options) : kernelForm(instruction, options);
}

/** Instructions as lines of text, each with the slot that it begins at (`   2: r0 = 0x1`). */
export function disassemble(
  instructions: readonly Instruction[],
  style: DisassemblyStyle = 'llvm',
  options: Omit<FormOptions, 'reference'> = {},
): string {
  const lines: string[] = [];
  for (const { slotIndex, instruction } of placedInstructions(instructions)) {
    lines.push(`${String(slotIndex).padStart(4)}: ${formatInstruction(instruction, style, options)}\n`);
  }
  return lines.join('');
}

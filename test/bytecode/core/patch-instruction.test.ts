import { describe, expect, test } from 'vitest';
import { patchInstruction } from '../../../engine/bytecode/core/patch-instruction.js';
import {
  Assembler,
  type CoreResolution,
  POISON_HELPER_ID,
  R1,
  R2,
  R10,
} from '../../../engine/bytecode/index.js';
import { InstructionSlots } from '../../../engine/bytecode/instruction-slots.js';
import { expectCode } from '../documented-errors.js';

const value = (localValue: bigint, targetValue: bigint, more: object = {}): CoreResolution => ({
  outcome: 'value',
  localValue,
  targetValue,
  mustHoldLocalValue: true,
  localByteSize: 4,
  targetByteSize: 4,
  canChangeSize: false,
  ...more,
});

const slotsOf = (code: Assembler) => new InstructionSlots(code.finish().instructions, 'test');

describe('patchInstruction', () => {
  test.each<[string, Assembler, CoreResolution, Assembler]>([
    [
      'an immediate',
      new Assembler('f').aluImmediate('add', R1, 4),
      value(4n, 1264n),
      new Assembler('f').aluImmediate('add', R1, 1264),
    ],
    [
      'the offset of a load',
      new Assembler('f').load(4, R1, R2, 4),
      value(4n, 1264n),
      new Assembler('f').load(4, R1, R2, 1264),
    ],
    [
      'the offset of a store',
      new Assembler('f').store(8, R10, 8, R1),
      value(8n, 16n),
      new Assembler('f').store(8, R10, 16, R1),
    ],
    [
      'the offset of a store of an immediate',
      new Assembler('f').storeImmediate(8, R10, 8, 3),
      value(8n, 16n),
      new Assembler('f').storeImmediate(8, R10, 16, 3),
    ],
    [
      'all 64 bits',
      new Assembler('f').loadImmediate64(R1, 1n),
      value(1n, 0x1_0000_0002n),
      new Assembler('f').loadImmediate64(R1, 0x1_0000_0002n),
    ],
    [
      'an unsigned value in an immediate',
      new Assembler('f').moveImmediate(R1, 0),
      value(0n, 0xffff_ffffn),
      new Assembler('f').moveImmediate(R1, -1),
    ],
    [
      'a load that gets wider',
      new Assembler('f').load(4, R1, R2, 0),
      value(0n, 8n, { targetByteSize: 8, canChangeSize: true }),
      new Assembler('f').load(8, R1, R2, 8),
    ],
    [
      'a value that need not be there before',
      new Assembler('f').moveImmediate(R1, 77),
      value(4n, 5n, { mustHoldLocalValue: false }),
      new Assembler('f').moveImmediate(R1, 5),
    ],
  ])('patches %s', (_name, before, resolution, after) => {
    const slots = slotsOf(before);
    expect(patchInstruction(slots, 0, resolution)).toBeUndefined();
    expect(slots.bytes).toEqual(after.finish().instructions);
  });

  test.each<[string, Assembler, CoreResolution]>([
    ['a register operand', new Assembler('f').alu('add', R1, R2), value(0n, 1n)],
    ['a jump', new Assembler('f').exit(), value(0n, 1n)],
    ['an immediate that holds something else', new Assembler('f').moveImmediate(R1, 3), value(4n, 5n)],
    ['an offset that holds something else', new Assembler('f').load(4, R1, R2, 3), value(4n, 5n)],
    ['a value too large for an offset', new Assembler('f').load(4, R1, R2, 4), value(4n, 0x8000n)],
    ['a value too large for an immediate', new Assembler('f').moveImmediate(R1, 4), value(4n, 2n ** 32n)],
    [
      'a load of another size than the field',
      new Assembler('f').load(8, R1, R2, 0),
      value(0n, 8n, { targetByteSize: 8, canChangeSize: true }),
    ],
    ['the address of a function', new Assembler('f').loadFunction(R1, 'g'), value(0n, 1n)],
  ])('refuses %s', (_name, before, resolution) => {
    expectCode('CORE_INSTRUCTION_MISMATCH', () => patchInstruction(slotsOf(before), 0, resolution));
  });

  test('poisons a load that would misread the field', () => {
    const slots = slotsOf(new Assembler('f').load(4, R1, R2, 0));
    expect(patchInstruction(slots, 0, value(0n, 8n, { targetByteSize: 8 }))).toMatch(/8 bytes, not 4/);
    expect(slots.isCall(0)).toBe(true);
    expect(slots.immediate(0)).toBe(POISON_HELPER_ID);
  });

  test('poisons both halves of a ld_imm64', () => {
    const slots = slotsOf(new Assembler('f').loadImmediate64(R1, 5n).exit());
    expect(patchInstruction(slots, 0, { outcome: 'poison', reason: 'gone' })).toBe('gone');
    expect([0, 1].map((slotIndex) => slots.immediate(slotIndex))).toEqual([0xbad2310, 0xbad2310]);
    expect([0, 1, 2].map((slotIndex) => slots.isCall(slotIndex))).toEqual([true, true, false]);
  });
});

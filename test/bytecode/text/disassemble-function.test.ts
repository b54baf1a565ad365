import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  disassembleFunction,
  encodeInstructions,
  type ObjectFile,
  programNamed,
  readObject,
  SLOT_BYTES,
  writeObject,
} from '../../../engine/bytecode/index.js';
import { INSTRUCTION_CODES, READING_CODES, thrownBy } from '../documented-errors.js';
import { mutatedBytes } from '../mutated-bytes.js';
import { sampleDefinition } from '../sample-object.js';

const sample = (): ObjectFile => readObject(writeObject(sampleDefinition()), 'sample.bpf.o');

function linesOf(object: ObjectFile, program: string, style: 'llvm' | 'kernel'): string[] {
  return disassembleFunction(object, programNamed(object, program), style).map(({ text, comments }) =>
    [text, ...comments].join(' ; '),
  );
}

describe('names in a function of an object', () => {
  it.each([
    { style: 'llvm', line: 'call bpf_get_current_task#35' },
    { style: 'llvm', line: 'r3 += 0x4 ; CO-RE field-byte-offset task_struct.pid' },
    { style: 'llvm', line: 'r1 = counts ll ; map: array of 4 to 8 bytes, 1 entry' },
    { style: 'llvm', line: 'r1 = settings+0x8 ll ; .rodata+0x8' },
    { style: 'llvm', line: 'r2 = each ll' },
    { style: 'llvm', line: 'call outer' },
    { style: 'llvm', line: 'if r0 == 0x0 goto +0x2 <on_switch+0x88>' },
    { style: 'kernel', line: '(18) r1 = map[name:counts] ; map: array of 4 to 8 bytes, 1 entry' },
    { style: 'kernel', line: '(18) r1 = map[name:.rodata][0]+8 ; .rodata+0x8' },
    { style: 'kernel', line: '(18) r2 = subprog[each]' },
    { style: 'kernel', line: '(85) call outer' },
    { style: 'kernel', line: '(15) if r0 == 0x0 goto pc+2' },
  ] as const)('$style: $line', ({ style, line }) => {
    expect(linesOf(sample(), 'on_switch', style)).toContain(line);
  });

  it('names what only a kernel has', () => {
    const object = sample();
    const program = programNamed(object, 'on_switch');
    const callee = disassembleFunction(object, program).find(({ text }) => text === 'call outer');
    const address = disassembleFunction(object, program).find(({ text }) => text === 'r2 = each ll');
    if (callee === undefined || address === undefined) throw new Error('the sample has both');
    const references = [
      { kind: 'kfunc', slotIndex: callee.slotIndex, name: 'bpf_task_acquire' },
      { kind: 'extern', slotIndex: address.slotIndex, name: 'jiffies' },
    ] as const;
    const programs = [{ ...program, references }];
    expect(linesOf({ ...object, programs }, 'on_switch', 'llvm')).toEqual(
      expect.arrayContaining(['call bpf_task_acquire ; kernel function', 'r2 = jiffies ll ; kernel symbol']),
    );
    expect(linesOf({ ...object, programs }, 'on_switch', 'kernel')).toContain(
      '(18) r2 = var[jiffies] ; kernel symbol',
    );
  });
});

it('ends in a documented error, or in text, for any damage to an object', () => {
  const bytes = writeObject(sampleDefinition());
  fc.assert(
    fc.property(mutatedBytes(bytes), (damaged) => {
      const error = thrownBy(() => {
        const object = readObject(damaged, 'damaged.bpf.o');
        for (const f of [...object.programs, ...object.subprograms]) {
          for (const { instruction, text } of disassembleFunction(object, f, 'kernel')) {
            expect(text).toMatch(/^\([0-9a-f]{2}\) /);
            expect(encodeInstructions([instruction]).byteLength % SLOT_BYTES).toBe(0);
          }
        }
      });
      if (error !== undefined) expect([...READING_CODES, ...INSTRUCTION_CODES]).toContain(error.code);
    }),
    { numRuns: 1000 },
  );
});

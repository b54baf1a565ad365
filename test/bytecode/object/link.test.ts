import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Assembler,
  linkProgram,
  type ObjectDefinition,
  programFacts,
  programNamed,
  R0,
  R1,
  readObject,
  writeObject,
} from '../../../engine/bytecode/index.js';
import { InstructionSlots } from '../../../engine/bytecode/instruction-slots.js';
import { expectCode } from '../documented-errors.js';
import { sampleDefinition } from '../sample-object.js';
import { randomDefinition } from './random-definition.js';

const link = (definition: ObjectDefinition, name: string) => {
  const object = readObject(writeObject(definition), 'linked.o');
  return linkProgram(object, programNamed(object, name));
};

describe('linkProgram', () => {
  test('puts what the program reaches behind it, in the order of first call', () => {
    const linked = link(sampleDefinition(), 'on_switch');
    expect(linked.subprograms).toEqual(['each', 'inner', 'outer']);
    expect(linked.functionInfo.map(({ slotIndex }) => slotIndex)).toEqual([0, 30, 34, 36]);
    expect(linked.mapReferences).toEqual([{ slotIndex: 9, map: 'counts' }]);
    expect(linked.dataReferences).toEqual([{ slotIndex: 17, section: '.rodata', byteOffset: 8 }]);
    expect(linked.coreRelocations).toMatchObject([{ slotIndex: 2, kind: 'field-byte-offset' }]);
    const slots = new InstructionSlots(linked.instructions, 'linked');
    // The callback's address, in slots from the instruction after; then the calls.
    expect([slots.sourceRegister(21), slots.immediate(21)]).toEqual([4, 30 - 22]);
    expect([slots.sourceRegister(27), slots.immediate(27)]).toEqual([1, 36 - 28]);
    expect(slots.immediate(31)).toBe(34 - 32);
    expect(slots.immediate(36)).toBe(34 - 37);
  });

  test('takes along only what the program reaches', () => {
    const linked = link(sampleDefinition(), 'filter');
    expect(linked.subprograms).toEqual([]);
    expect(linked.instructions.byteLength).toBe(16);
  });

  test('a function that calls itself is placed once', () => {
    const again = new Assembler('again').callFunction('again').exit().finish();
    const program = new Assembler('f').callFunction('again').exit().finish();
    const definition = {
      ...sampleDefinition(),
      programs: [{ section: 'socket', function: program }],
      subprograms: [again],
    };
    const slots = new InstructionSlots(link(definition, 'f').instructions, 'f');
    expect(slots.slotCount).toBe(4);
    expect(slots.immediate(2)).toBe(-1);
  });

  test('refuses more functions than the kernel takes', () => {
    const subprograms = Array.from({ length: 300 }, (_, index) =>
      new Assembler(`f${index}`)
        .callFunction(`f${Math.min(index + 1, 299)}`)
        .exit()
        .finish(),
    );
    const program = new Assembler('f').callFunction('f0').exit().finish();
    const definition = {
      ...sampleDefinition(),
      programs: [{ section: 'socket', function: program }],
      subprograms,
    };
    expectCode('OBJECT_MALFORMED', () => link(definition, 'f'), /256 functions/);
  });

  test('every call and callback leads to the start of a function', () => {
    fc.assert(
      fc.property(randomDefinition, (definition) => {
        for (const { function: f } of definition.programs) {
          const linked = link(definition, f.name);
          const slots = new InstructionSlots(linked.instructions, f.name);
          const starts = new Set(linked.functionInfo.map(({ slotIndex }) => slotIndex));
          expect(starts.size).toBe(linked.subprograms.length + 1);
          for (const slotIndex of slots.starts()) {
            const isFunction = slots.isLocalCall(slotIndex) || slots.sourceRegister(slotIndex) === 4;
            if (isFunction) expect(starts).toContain(slotIndex + 1 + slots.immediate(slotIndex));
          }
        }
      }),
    );
  });
});

describe('programFacts', () => {
  test('says what a signature states', () => {
    const object = readObject(writeObject(sampleDefinition()), 'sample.o');
    expect(programFacts(object, programNamed(object, 'on_switch'))).toMatchObject({
      name: 'on_switch',
      section: 'raw_tp/sched_switch',
      programTypeName: 'raw-tracepoint',
      programType: 17,
      attachTarget: 'sched_switch',
      license: 'GPL',
      instructionCount: 39,
      helperIds: [1, 35, 113, 181],
      kfuncs: [],
      maps: ['counts'],
      dataSections: ['.rodata'],
      subprograms: ['each', 'inner', 'outer'],
    });
  });

  test('counts helpers that only a subprogram calls', () => {
    const helper = new Assembler('deep').callHelper('send_signal').exit().finish();
    const program = new Assembler('f').moveImmediate(R1, 9).callFunction('deep').moveImmediate(R0, 0).exit();
    const definition = {
      ...sampleDefinition(),
      programs: [{ section: 'socket', function: program.finish() }],
      subprograms: [helper],
    };
    const object = readObject(writeObject(definition), 'sample.o');
    expect(programFacts(object, programNamed(object, 'f')).helperIds).toEqual([109]);
  });

  test('refuses a program that is not there', () => {
    const object = readObject(writeObject(sampleDefinition()), 'sample.o');
    expectCode('OBJECT_PROGRAM_UNKNOWN', () => programNamed(object, 'none'), /sample\.o: no program none/);
  });
});

import { describe, expect, test } from 'vitest';
import {
  applyCoreRelocations,
  Btf,
  BtfBuilder,
  CoreResolver,
  type LinkedProgram,
  linkProgram,
  type ObjectFile,
  programNamed,
  readObject,
  relocateProgram,
  writeObject,
} from '../../../engine/bytecode/index.js';
import { expectCode } from '../documented-errors.js';
import { compileWithClang, missingTool } from '../external-tools.js';
import { sampleDefinition } from '../sample-object.js';

/** A kernel that has no types at all. */
const NO_KERNEL = { vmlinux: new Btf(new BtfBuilder().build(), 'nothing'), modules: () => [] };

function linkedWith(object: ObjectFile): { btf: Btf; program: LinkedProgram } {
  if (object.btf === undefined) throw new Error('the object has no BTF');
  return { btf: object.btf, program: linkProgram(object, programNamed(object, 'on_switch')) };
}

const sample = () => linkedWith(readObject(writeObject(sampleDefinition()), 'sample.o'));

describe('applyCoreRelocations', () => {
  test('says what a poisoned instruction needs and where it is', () => {
    const { btf, program } = sample();
    const { poisoned } = applyCoreRelocations(program, btf, NO_KERNEL);
    expect(poisoned).toEqual([
      {
        slotIndex: 2,
        kind: 'field-byte-offset',
        reason: 'the kernel has no field task_struct.pid',
        place: 'sample.o: on_switch, instruction 2',
        line: undefined,
      },
    ]);
  });

  test('leaves the linked program as it was', () => {
    const { btf, program } = sample();
    const before = program.instructions.slice();
    expect(applyCoreRelocations(program, btf, NO_KERNEL).instructions).not.toEqual(before);
    expect(program.instructions).toEqual(before);
  });

  test('never asks for the types of a kernel that no relocation needs', () => {
    const { btf, program } = sample();
    const asksNothing = { ...program, coreRelocations: [] };
    const { instructions } = applyCoreRelocations(asksNothing, btf, () => {
      throw new Error('asked');
    });
    expect(instructions).toEqual(program.instructions);
  });

  test('names object, program, instruction and access where the instruction does not fit', () => {
    const { btf, program } = sample();
    const [relocation] = program.coreRelocations;
    if (relocation === undefined) throw new Error('no relocation');
    const moved = { ...program, coreRelocations: [{ ...relocation, slotIndex: 0 }] };
    const itself = { vmlinux: btf, modules: () => [] };
    expectCode(
      'CORE_INSTRUCTION_MISMATCH',
      () => applyCoreRelocations(moved, btf, itself),
      /^sample\.o: on_switch, instruction 0: task_struct\.pid: /,
    );
  });

  test('names object, program and instruction where the relocation is wrong', () => {
    const { btf, program } = sample();
    const wrong = { slotIndex: 2, kind: 'field-exists', typeId: 1, access: 'x' } as const;
    expectCode(
      'CORE_MALFORMED',
      () => applyCoreRelocations({ ...program, coreRelocations: [wrong] }, btf, NO_KERNEL),
      /^sample\.o: on_switch, instruction 2: .*access x/,
    );
  });

  test('shares what is resolved between programs of one object', () => {
    const { btf, program } = sample();
    let asked = 0;
    const resolver = new CoreResolver(btf, () => {
      asked++;
      return NO_KERNEL;
    });
    expect(relocateProgram(program, resolver)).toEqual(relocateProgram(program, resolver));
    expect(asked).toBe(1);
  });
});

const noClang = missingTool('clang');

describe.skipIf(noClang)(`an object with lines${noClang === undefined ? '' : ` (${noClang})`}`, () => {
  test('names the line of source', () => {
    const { btf, program } = linkedWith(readObject(compileWithClang(), 'probe.o'));
    const poisoned = applyCoreRelocations(program, btf, NO_KERNEL).poisoned[0];
    expect(poisoned?.place).toMatch(
      /^probe\.o: on_switch, instruction \d+ \(every-feature\.bpf\.c:\d+: .+\)$/,
    );
  });
});

import { readlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Assembler, R0, R1, R2, R3, R4, readObject, writeObject } from '../../engine/bytecode/index.js';
import { ResourceStack, u32Key } from '../../engine/kernel/index.js';
import { loadObject, NO_GATE } from '../../engine/loader/index.js';
import { COUNTER_OFFSET, COUNTER_SECTION, countedObject } from '../bench/instruction-counter.js';

const ITERATIONS = 10;
/** The context's second word: only runs with this value count. */
const WANTED = 77n;

/** Seven instructions, and for each round of the loop three when even, six when odd (a call among them). */
function sampleObject(): Uint8Array {
  const program = new Assembler('program')
    .moveImmediate(R1, ITERATIONS)
    .loadFunction(R2, 'step')
    .moveImmediate(R3, 0)
    .moveImmediate(R4, 0)
    .callHelper('loop')
    .moveImmediate(R0, 0)
    .exit();
  const step = new Assembler('step');
  const odd = step.label('odd');
  step.jumpIfImmediate('&', R1, 1, odd).moveImmediate(R0, 0).exit();
  step.place(odd).callFunction('leaf').moveImmediate(R0, 0).exit();
  const leaf = new Assembler('leaf').moveImmediate(R0, 7).exit();
  return writeObject({
    license: 'GPL',
    programs: [{ section: 'syscall', function: program.finish() }],
    subprograms: [leaf.finish(), step.finish()],
    maps: [],
    constants: [],
    kernelTypes: [],
    metadata: new Uint8Array(0),
  });
}

const EXPECTED = 7 + (ITERATIONS / 2) * 3 + (ITERATIONS / 2) * 6;

describe('countedObject', () => {
  function run(contextValue: bigint): number {
    using resources = new ResourceStack();
    const object = countedObject(readObject(sampleObject(), 'sample.bpf.o'), {
      contextOffset: 8,
      otherwise: 3,
    });
    const loaded = resources.use(
      loadObject(object, object.programs, {
        constants: {},
        sharedMaps: new Map(),
        admission: NO_GATE,
        needsEveryField: true,
      }),
    );
    const counter = loaded.maps.get(COUNTER_SECTION);
    const [tgid = '', , tid = ''] = readlinkSync('/proc/thread-self').split('/');
    const value = new BigUint64Array(3);
    value[COUNTER_OFFSET.pidTgid / 8] = (BigInt(tgid) << 32n) | BigInt(tid);
    value[COUNTER_OFFSET.contextValue / 8] = WANTED;
    counter?.update(u32Key(0), new Uint8Array(value.buffer));
    const context = new BigUint64Array([0n, contextValue]);
    const result = loaded.programs[0]?.program.testRun({
      context: new Uint8Array(context.buffer),
    }).returnValue;
    expect(result).toBe(contextValue === WANTED ? 0 : 3);
    counter?.lookup(u32Key(0), new Uint8Array(value.buffer));
    return Number(value[COUNTER_OFFSET.executed / 8]);
  }

  test('counts a program, its loop and what the loop calls, to the instruction', () => {
    expect(run(WANTED)).toBe(EXPECTED);
    expect(run(WANTED)).toBe(EXPECTED);
  });

  test('a run that is not wanted does nothing', () => {
    expect(run(WANTED + 1n)).toBe(0);
  });
});

import { expect, test } from 'vitest';
import { MAX_LINKED_SLOTS, selectParts } from '../../engine/bpf/selection.js';
import { RELOCATION_TYPE, SECTION_TYPE, SYMBOL_TYPE } from '../../engine/bytecode/elf/elf-format.js';
import { type NewSymbol, writeElf } from '../../engine/bytecode/elf/elf-writer.js';
import { readObject, SLOT_BYTES } from '../../engine/bytecode/index.js';
import { expectCode } from '../bytecode/documented-errors.js';

const MOVE = [0xb7, 0, 0, 0, 0, 0, 0, 0];
const EXIT = [0x95, 0, 0, 0, 0, 0, 0, 0];
/** A call of another function, by the relocation's symbol. */
const CALL = [0x85, 0x10, 0, 0, 0xff, 0xff, 0xff, 0xff];
const PROGRAM_BYTES = CALL.length + EXIT.length;

const sharedSlots = 900_000;
const programCount = Math.floor(MAX_LINKED_SLOTS / sharedSlots) + 1;

/** As many programs as are too much together, all calling one function that is nearly as large as may be. */
function objectOfOneLargeFunction() {
  const shared = new Uint8Array(sharedSlots * SLOT_BYTES);
  shared.set(MOVE);
  for (let filled = SLOT_BYTES; filled < shared.byteLength; filled *= 2) shared.copyWithin(filled, 0, filled);
  shared.set(EXIT, shared.byteLength - SLOT_BYTES);
  const code = { type: SECTION_TYPE.programBits, flags: 6, byteAlignment: 8 };
  const starts = Array.from({ length: programCount }, (_, index) => index * PROGRAM_BYTES);
  const symbol = (name: string, section: string, value: number, byteSize: number): NewSymbol => ({
    key: name,
    name,
    type: SYMBOL_TYPE.function,
    binding: 1,
    section,
    value,
    byteSize,
  });
  return writeElf(
    [
      { ...code, name: '.text', bytes: shared },
      {
        ...code,
        name: 'raw_tp/sched_switch',
        bytes: Uint8Array.from(starts.flatMap(() => [...CALL, ...EXIT])),
        relocations: starts.map((byteOffset) => ({
          byteOffset,
          type: RELOCATION_TYPE.call32,
          symbol: 'shared',
        })),
      },
    ],
    [
      symbol('shared', '.text', 0, shared.byteLength),
      ...starts.map((start) => symbol(`program_${start}`, 'raw_tp/sched_switch', start, PROGRAM_BYTES)),
    ],
  );
}

test('many programs that all call one large function are refused before they fill the memory', () => {
  const object = readObject(objectOfOneLargeFunction(), 'large.bpf.o');
  expectCode('OBJECT_UNSUPPORTED', () => selectParts(object, undefined), /^large\.bpf\.o/);
  const first = object.programs[0];
  expect(selectParts(object, (program) => program === first).programs).toHaveLength(1);
});

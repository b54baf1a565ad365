import { expect, test } from 'vitest';
import { SECTION_TYPE, SYMBOL_TYPE } from '../../../engine/bytecode/elf/elf-format.js';
import { writeElf } from '../../../engine/bytecode/elf/elf-writer.js';
import { programFacts, programNamed, readObject } from '../../../engine/bytecode/index.js';
import { expectCode } from '../documented-errors.js';

const MOVE = [0xb7, 0, 0, 0, 0, 0, 0, 0];
const EXIT = [0x95, 0, 0, 0, 0, 0, 0, 0];
const call = (sourceRegister: number) => [0x85, sourceRegister << 4, 0, 0, 0x39, 0x30, 0, 0];

/** A program that calls number 12345 of what the source register says (RFC 9669, section 4.3.1). */
function objectCalling(sourceRegister: number) {
  const bytes = Uint8Array.from([...call(sourceRegister), ...MOVE, ...EXIT]);
  const section = { name: 'socket', type: SECTION_TYPE.programBits, flags: 6, byteAlignment: 8, bytes };
  const symbol = { key: 'f', name: 'f', type: SYMBOL_TYPE.function, binding: 1, section: 'socket' };
  return readObject(writeElf([section], [{ ...symbol, value: 0, byteSize: bytes.byteLength }]), 'raw.o');
}

test('a helper is called by its number, and stated', () => {
  const object = objectCalling(0);
  expect(programFacts(object, programNamed(object, 'f')).helperIds).toEqual([12345]);
});

// The kernel would call the function of that BTF id, of which the statement said nothing.
test.each([2, 3, 15])('a call of another kind (source register %i) needs a relocation', (sourceRegister) => {
  const object = objectCalling(sourceRegister);
  expectCode('OBJECT_MALFORMED', () => programFacts(object, programNamed(object, 'f')), /without relocation/);
});

import { expect, it } from 'vitest';
import {
  conformanceGroupOf,
  decodeInstructions,
  encodeInstructions,
  type Instruction,
  SLOT_BYTES,
} from '../../../engine/bytecode/index.js';
import { VespidError } from '../../../engine/errors/index.js';
import { ADDITIONS, IANA_REGISTRY } from './iana-registry.js';

const OPCODES = Array.from({ length: 256 }, (_, opcode) => opcode);
const DESTINATIONS = [0, 10, 11];
const SOURCES = [0, 1, 2, 3, 6, 7, 10, 11];
const OFFSETS = [0, 1, 8, 32, -1];
const IMMEDIATES = [0, 16, 64, 0x41, 0xe1, 0x30, 0x110, -1];

const ROWS_BY_OPCODE = OPCODES.map((opcode) =>
  [...IANA_REGISTRY, ...ADDITIONS].filter((row) => row.opcodes.includes(opcode)),
);

/** The groups that the registry gives to these fields; none if there is no such instruction. */
function registered(
  opcode: number,
  destination: number,
  source: number,
  offset: number,
  immediate: number,
): Set<string> {
  const allows = (allowed: 'any' | readonly number[], value: number) =>
    allowed === 'any' || allowed.includes(value);
  const rows = (ROWS_BY_OPCODE[opcode] ?? []).filter(
    (row) =>
      destination <= (row.hasDestination ? 10 : 0) &&
      source <= 10 &&
      allows(row.source, source) &&
      allows(row.offset, offset) &&
      allows(row.immediate, immediate),
  );
  return new Set(rows.map((row) => row.group));
}

function decoded(bytes: Uint8Array): Instruction | undefined {
  try {
    return decodeInstructions(bytes)[0];
  } catch (error) {
    if (error instanceof VespidError && error.code.startsWith('INSTRUCTION_')) return undefined;
    throw error;
  }
}

function encodesTo(instruction: Instruction, bytes: Uint8Array): boolean {
  return Buffer.from(encodeInstructions([instruction])).equals(bytes);
}

it('decodes what the registry and Linux have, each in its group, and nothing else; encodes it again', () => {
  // Errors are made by the ten thousand here; where each comes from is of no interest.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const both = new Uint8Array(2 * SLOT_BYTES);
  const view = new DataView(both.buffer);
  let count = 0;
  try {
    for (const opcode of OPCODES) {
      const bytes = opcode === 0x18 ? both : both.subarray(0, SLOT_BYTES);
      for (const destination of DESTINATIONS) {
        for (const source of SOURCES) {
          for (const offset of OFFSETS) {
            for (const immediate of IMMEDIATES) {
              view.setUint8(0, opcode);
              view.setUint8(1, (source << 4) | destination);
              view.setInt16(2, offset, true);
              view.setInt32(4, immediate, true);
              const expected = registered(opcode, destination, source, offset, immediate);
              const instruction = decoded(bytes);
              const group = instruction === undefined ? [] : [conformanceGroupOf(instruction)];
              const isSame = instruction === undefined || encodesTo(instruction, bytes);
              if (isSame && group.length === expected.size && group.every((name) => expected.has(name))) {
                count += group.length;
                continue;
              }
              const hex = Buffer.from(bytes).toString('hex');
              expect.fail(`${hex}: registry ${[...expected].join() || 'nothing'}, decoded ${group.join()}`);
            }
          }
        }
      }
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
  expect(count).toBeGreaterThan(5000);
});

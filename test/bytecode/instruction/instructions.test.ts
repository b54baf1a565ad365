import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  conformanceGroupOf,
  conformanceGroupsOf,
  decodeInstructions,
  encodeInstructions,
  HELPER,
  helperId,
  helperName,
  type Instruction,
  MAX_INSTRUCTION_SLOTS,
  placedInstructions,
} from '../../../engine/bytecode/index.js';
import { expectCode, thrownBy } from '../documented-errors.js';
import { anyCode } from './random-instruction.js';

const BYTE_ORDERS = ['little-endian', 'big-endian'] as const;

/** `85 20 03 00 4d000000` as bytes. */
function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

describe.each(BYTE_ORDERS)('%s', (byteOrder) => {
  it('decodes what it encodes', () => {
    fc.assert(
      fc.property(anyCode, (code) => {
        expect(decodeInstructions(encodeInstructions(code, byteOrder), { byteOrder })).toEqual(code);
      }),
      { numRuns: 500 },
    );
  });
});

it('ends in a documented error, or gives the bytes back, for any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const error = thrownBy(() => {
        expect(encodeInstructions(decodeInstructions(bytes))).toEqual(new Uint8Array(bytes));
      });
      if (error !== undefined) expect(error.code).toMatch(/^INSTRUCTION_/);
    }),
    { numRuns: 2000 },
  );
});

describe('one instruction', () => {
  it.each<{ what: string; little: string; big: string; instruction: Instruction }>([
    {
      what: 'registers and fields change places on a big-endian machine',
      little: '7b 1a f8 ff 00000000',
      big: '7b a1 ff f8 00000000',
      instruction: {
        kind: 'store',
        bytes: 8,
        base: 10,
        offset: -8,
        source: { kind: 'register', register: 1 },
      },
    },
    {
      what: 'both halves of ld_imm64',
      little: '18 01 0000 88776655 00000000 44332211',
      big: '18 10 0000 55667788 00000000 11223344',
      instruction: { kind: 'load-immediate64', destination: 1, value: 0x1122_3344_5566_7788n },
    },
    {
      what: 'a kernel function of a module',
      little: '85 20 0300 4d000000',
      big: '85 02 0003 0000004d',
      instruction: { kind: 'call-kfunc', typeId: 77, fdArrayIndex: 3 },
    },
    {
      what: 'the width of a cast of address spaces',
      little: 'bf 21 0100 01000000',
      big: 'bf 12 0001 00000001',
      instruction: { kind: 'address-space-cast', destination: 1, source: 2, toSpace: 0, fromSpace: 1 },
    },
    {
      what: 'acquire',
      little: 'd3 21 0800 00010000',
      big: 'd3 12 0008 00000100',
      instruction: { kind: 'load-acquire', bytes: 1, destination: 1, base: 2, offset: 8 },
    },
  ])('$what', ({ little, big, instruction }) => {
    expect(decodeInstructions(bytesOf(little))).toEqual([instruction]);
    expect(decodeInstructions(bytesOf(big), { byteOrder: 'big-endian' })).toEqual([instruction]);
    expect(encodeInstructions([instruction])).toEqual(bytesOf(little));
    expect(encodeInstructions([instruction], 'big-endian')).toEqual(bytesOf(big));
  });
});

describe('reserved fields are refused', () => {
  it.each([
    { what: 'r1 = -r1 with an immediate', hex: '87 01 0000 01000000', field: 'immediate' },
    { what: 'r1 = r2 with an immediate', hex: 'bf 21 0000 01000000', field: 'immediate' },
    { what: 'r1 = 5 with a source register', hex: 'b7 21 0000 05000000', field: 'source' },
    { what: 'r1 += 5 with an offset', hex: '07 01 0100 05000000', field: 'offset' },
    { what: 'r1 /= r2 with the offset 2', hex: '3f 21 0200 00000000', field: 'offset' },
    { what: 'w1 = (s32)w2', hex: 'bc 21 2000 00000000', field: 'offset' },
    { what: 'r1 = be24 r1', hex: 'dc 01 0000 18000000', field: 'immediate' },
    { what: 'r11 = r1', hex: 'bf 1b 0000 00000000', field: 'destination' },
    { what: 'r1 = r15', hex: 'bf f1 0000 00000000', field: 'source' },
    { what: 'a load with an immediate', hex: '61 21 0000 01000000', field: 'immediate' },
    { what: 'a store of an immediate with a source', hex: '62 1a 0000 01000000', field: 'source' },
    { what: 'exit with a register', hex: '95 01 0000 00000000', field: 'destination' },
    { what: 'goto with an immediate', hex: '05 00 0100 01000000', field: 'immediate' },
    { what: 'gotol with an offset', hex: '06 00 0100 01000000', field: 'offset' },
    { what: 'may_goto with another condition', hex: 'e5 10 0100 00000000', field: 'source' },
    { what: 'a helper call with an offset', hex: '85 00 0100 01000000', field: 'offset' },
    { what: 'a call of subtype 3', hex: '85 30 0000 01000000', field: 'source' },
    { what: 'callx with the register of old compilers', hex: '8d 00 0000 03000000', field: 'immediate' },
    { what: 'ld_imm64 of subtype 7', hex: '18 71 0000 00000000 00000000 00000000', field: 'source' },
    { what: 'ld_imm64 with an offset', hex: '18 01 0100 00000000 00000000 00000000', field: 'offset' },
    {
      what: 'a second half with a register',
      hex: '18 01 0000 00000000 00010000 00000000',
      field: 'destination',
    },
    { what: 'a map fd of 64 bits', hex: '18 11 0000 05000000 00000000 01000000', field: 'immediate' },
    { what: 'a packet load with a destination', hex: '20 01 0000 00000000', field: 'destination' },
  ])('$what', ({ hex, field }) => {
    const error = thrownBy(() => decodeInstructions(bytesOf(`b700000000000000${hex}`), { label: 'probe' }));
    expect(error?.code).toBe('INSTRUCTION_RESERVED_FIELD');
    expect(error?.details).toMatchObject({ field });
    expect(error?.message).toMatch(/^probe, slot [12]: /);
  });
});

describe('what is no instruction', () => {
  it.each([
    { what: 'an arithmetic operation', hex: 'e7 00 0000 00000000' },
    { what: 'a jump', hex: 'f5 00 0000 00000000' },
    { what: 'a call in the class of 32-bit jumps', hex: '86 00 0000 01000000' },
    { what: 'a sign-extending load of 8 bytes', hex: '99 21 0000 00000000' },
    { what: 'an atomic operation', hex: 'db 21 0000 30000000' },
    { what: 'an atomic operation of 2 bytes', hex: 'cb 21 0000 00000000' },
    { what: 'a packet load of 8 bytes', hex: '38 00 0000 00000000' },
    { what: 'a second half alone', hex: '00 00 0000 00000000' },
    { what: 'a negation of another register', hex: '8f 21 0000 00000000' },
  ])('$what', ({ hex }) => {
    expectCode('INSTRUCTION_UNKNOWN', () => decodeInstructions(bytesOf(hex)));
  });

  it.each([
    { what: 'seven bytes', hex: 'b7 00 0000 000000' },
    { what: 'half of a ld_imm64 at the end', hex: '18 01 0000 00000000' },
    { what: 'half of a ld_imm64 before an instruction', hex: '18 01 0000 00000000 95 00 0000 00000000' },
  ])('$what is cut off', ({ hex }) => {
    expectCode('INSTRUCTION_TRUNCATED', () => decodeInstructions(bytesOf(hex)));
  });

  it('more slots than any kernel takes', () => {
    const bytes = new Uint8Array((MAX_INSTRUCTION_SLOTS + 1) * 8);
    expectCode('INSTRUCTION_LIMIT', () => decodeInstructions(bytes));
  });
});

it.each<{ what: string; instruction: Instruction }>([
  { what: 'an offset', instruction: { kind: 'may-goto', offset: 0x8000 } },
  { what: 'an immediate', instruction: { kind: 'call-local', offset: 0x8000_0000 } },
  {
    what: 'a 64-bit immediate',
    instruction: { kind: 'load-immediate64', destination: 0, value: 2n ** 63n },
  },
])('$what out of range is not encoded', ({ instruction }) => {
  expectCode('ASSEMBLER_INVALID', () => encodeInstructions([instruction]), /instruction 0/);
});

describe('conformance groups', () => {
  // RFC 9669 section 2.4 and the sections that it points to; BPF Instructions registry of IANA.
  it.each([
    {
      group: 'base32',
      hex: ['0401000000000000', '05000000 00000000', '0600000000000000', '1601000000000000'],
    },
    {
      group: 'base32',
      hex: ['6121000000000000', '8510000000000000', '9500000000000000', 'dc01000020000000'],
    },
    {
      group: 'base64',
      hex: ['0701000000000000', '1501000000000000', '7921000000000000', 'd701000040000000'],
    },
    { group: 'base64', hex: ['18010000000000000000000000000000', 'bf21200000000000', '8121000000000000'] },
    { group: 'divmul32', hex: ['2401000000000000', '3401010000000000', '9c21000000000000'] },
    {
      group: 'divmul64',
      hex: ['2701000000000000', '3f21010000000000', '9721000000000000'.replace('21', '01')],
    },
    { group: 'atomic32', hex: ['c321000000000000', 'c3210000f1000000'] },
    { group: 'atomic64', hex: ['db21000000000000', 'db210000e1000000'] },
    { group: 'packet', hex: ['2000000000000000', '4820000010000000'] },
    { group: 'linux', hex: ['e500000000000000', 'db21000000010000', '8d01000000000000', 'bf21010001000000'] },
  ])('$group has $hex', ({ group, hex }) => {
    const instructions = hex.flatMap((text) => decodeInstructions(bytesOf(text)));
    expect(instructions.map(conformanceGroupOf)).toEqual(hex.map(() => group));
  });

  it('names an included group only by the one that includes it', () => {
    const code = bytesOf('0401000000000000 0701000000000000 c321000000000000 2401000000000000');
    expect(conformanceGroupsOf(decodeInstructions(code))).toEqual(['atomic32', 'base64', 'divmul32']);
  });
});

it('places instructions by slot', () => {
  const code = decodeInstructions(bytesOf('18010000000000000000000000000000 9500000000000000'));
  expect([...placedInstructions(code)].map(({ slotIndex }) => slotIndex)).toEqual([0, 2]);
});

describe('helper functions', () => {
  it.each([
    { id: 1, name: 'map_lookup_elem' },
    { id: 25, name: 'perf_event_output' },
    { id: 181, name: 'loop' },
    { id: 211, name: 'cgrp_storage_delete' },
  ])('$id is $name', ({ id, name }) => {
    expect(helperName(id)).toBe(name);
    expect(helperId(name)).toBe(id);
    expect(helperId(`bpf_${name}`)).toBe(id);
  });

  it('has every number of Linux 6.12 once', () => {
    expect(Object.values(HELPER)).toEqual(Array.from({ length: 211 }, (_, index) => index + 1));
    expect(helperName(212)).toBeUndefined();
  });
});

import { describe, expect, test } from 'vitest';
import {
  Assembler,
  HELPER,
  PSEUDO,
  R0,
  R1,
  R2,
  R3,
  R10,
  type Register,
} from '../../engine/bytecode/index.js';
import { thrownBy } from '../policies/policy-text.js';

/** The instructions as hex, 16 digits a slot. */
function hexOf(assembler: Assembler): string[] {
  const text = Buffer.from(assembler.finish().instructions).toString('hex');
  return text.match(/.{16}/g) ?? [];
}

const assembler = () => new Assembler('sample');

describe('one instruction', () => {
  // The right-hand side is what `llvm-objdump -d` takes apart into the left-hand side's C form.
  test.each<{ what: string; code: (a: Assembler) => Assembler; hex: string }>([
    { what: 'r1 = r2', code: (a) => a.move(R1, R2), hex: 'bf21000000000000' },
    { what: 'r1 = -1', code: (a) => a.moveImmediate(R1, -1), hex: 'b7010000ffffffff' },
    { what: 'r1 += r2', code: (a) => a.alu('add', R1, R2), hex: '0f21000000000000' },
    { what: 'r1 s>>= 3', code: (a) => a.aluImmediate('arsh', R1, 3), hex: 'c701000003000000' },
    { what: 'w1 ^= w2', code: (a) => a.alu32('xor', R1, R2), hex: 'ac21000000000000' },
    {
      what: 'w1 &= 0xf0000000',
      code: (a) => a.alu32Immediate('and', R1, 0xf000_0000),
      hex: '54010000000000f0',
    },
    { what: 'r1 = be16 r1', code: (a) => a.toBigEndian(R1, 16), hex: 'dc01000010000000' },
    { what: 'r0 = *(u8 *)(r1 + 1)', code: (a) => a.load(1, R0, R1, 1), hex: '7110010000000000' },
    { what: 'r0 = *(u16 *)(r1 + 2)', code: (a) => a.load(2, R0, R1, 2), hex: '6910020000000000' },
    { what: 'r0 = *(u32 *)(r1 + 4)', code: (a) => a.load(4, R0, R1, 4), hex: '6110040000000000' },
    { what: 'r0 = *(u64 *)(r1 - 8)', code: (a) => a.load(8, R0, R1, -8), hex: '7910f8ff00000000' },
    { what: '*(u64 *)(r10 - 16) = r3', code: (a) => a.store(8, R10, -16, R3), hex: '7b3af0ff00000000' },
    { what: '*(u8 *)(r10 - 1) = 47', code: (a) => a.storeImmediate(1, R10, -1, 47), hex: '720affff2f000000' },
    { what: 'lock *(u64 *)(r0 + 0) += r1', code: (a) => a.atomicAdd(8, R0, 0, R1), hex: 'db10000000000000' },
    { what: 'r1 = xchg32_32(r0 + 4, r1)', code: (a) => a.exchange(4, R0, 4, R1), hex: 'c3100400e1000000' },
    { what: 'call 14', code: (a) => a.callHelper('get_current_pid_tgid'), hex: '850000000e000000' },
    { what: 'exit', code: (a) => a.exit(), hex: '9500000000000000' },
  ])('$what', ({ code, hex }) => {
    expect(hexOf(code(assembler()))).toEqual([hex]);
  });

  test.each([
    { value: 0n, hex: ['1801000000000000', '0000000000000000'] },
    { value: 2n ** 63n - 1n, hex: ['18010000ffffffff', '00000000ffffff7f'] },
    { value: 0x8000_0000n, hex: ['1801000000000080', '0000000000000000'] },
    { value: 2n ** 64n - 1n, hex: ['18010000ffffffff', '00000000ffffffff'] },
  ])('r1 = $value ll takes two slots', ({ value, hex }) => {
    expect(hexOf(assembler().loadImmediate64(R1, value))).toEqual(hex);
  });
});

describe('labels', () => {
  test('a jump counts slots from the instruction after it, ld_imm64 as two', () => {
    const a = assembler();
    const end = a.label('end');
    a.jumpIfImmediate('==', R0, 5, end).loadImmediate64(R1, 1n).jump(end).place(end).exit();
    expect(hexOf(a)).toEqual([
      '1500030005000000',
      '1801000001000000',
      '0000000000000000',
      '0500000000000000',
      '9500000000000000',
    ]);
  });

  test.each([
    { condition: 's<', opcode: 'c5' },
    { condition: '&', opcode: '45' },
    { condition: '>=', opcode: '35' },
  ] as const)('the condition $condition has the opcode $opcode', ({ condition, opcode }) => {
    const a = assembler();
    const end = a.label('end');
    expect(hexOf(a.jumpIfImmediate(condition, R1, 1, end).place(end).exit())[0]?.slice(0, 2)).toBe(opcode);
  });

  test('code that nothing reaches is left out, with its references', () => {
    const a = assembler();
    const unused = a.label('unused');
    const used = a.label('used');
    a.jumpIfImmediate('==', R1, 0, used).exit();
    a.place(unused)
      .loadMap(R1, 'events')
      .loadField(4, R0, R1, { struct: 's', path: ['f'] })
      .callFunction('f');
    a.place(used).moveImmediate(R0, 0).exit();
    const { instructions, symbolReferences, fieldReferences } = a.finish();
    expect(instructions.byteLength / 8).toBe(4);
    expect(symbolReferences).toEqual([]);
    expect(fieldReferences).toEqual([]);
  });

  test('a jump from code that is left out makes no target', () => {
    const a = assembler();
    const after = a.label('after');
    a.exit().jump(after).place(after).moveImmediate(R0, 1).exit();
    expect(hexOf(a)).toEqual(['9500000000000000']);
  });
});

describe('references', () => {
  test('name the slot that they are in', () => {
    const a = assembler()
      .loadMap(R1, 'events')
      .loadConstant(R2, 'settings', 12)
      .loadFunction(R3, 'step')
      .callFunction('walk')
      .exit();
    const { symbolReferences, instructions } = a.finish();
    expect(symbolReferences).toEqual([
      { kind: 'map', slotIndex: 0, map: 'events' },
      { kind: 'data', slotIndex: 2, constant: 'settings', byteOffset: 12 },
      { kind: 'function-address', slotIndex: 4, target: 'step' },
      { kind: 'call', slotIndex: 6, target: 'walk' },
    ]);
    expect((instructions[4 * 8 + 1] ?? 0) >> 4).toBe(PSEUDO.function);
    expect((instructions[6 * 8 + 1] ?? 0) >> 4).toBe(1);
  });

  test('a bit-field is a load and two shifts, each filled in at load', () => {
    const { fieldReferences } = assembler()
      .loadBits(R0, R1, { struct: 'bpf_prog', path: ['gpl_compatible'] })
      .finish();
    expect(fieldReferences.map(({ kind, slotIndex }) => [kind, slotIndex])).toEqual([
      ['field-byte-offset', 0],
      ['field-left-shift', 1],
      ['field-right-shift', 2],
    ]);
  });
});

describe('what cannot be encoded', () => {
  test.each<{ what: string; code: (a: Assembler) => unknown; message: string }>([
    {
      what: 'an immediate beyond 32 bits',
      code: (a) => a.moveImmediate(R0, 0x8000_0000),
      message: '32 bits',
    },
    { what: 'an immediate that is not whole', code: (a) => a.moveImmediate(R0, 0.5), message: '32 bits' },
    { what: 'an offset beyond 16 bits', code: (a) => a.load(8, R0, R1, 0x8000), message: '16 bits' },
    {
      what: 'a label that is never placed',
      code: (a) => a.jump(a.label('lost')).finish(),
      message: 'lost is never placed',
    },
    {
      what: 'a label that is placed twice',
      code: (a) => {
        const label = a.label('twice');
        a.place(label).place(label);
      },
      message: 'twice is placed twice',
    },
    {
      what: 'a jump back',
      code: (a) => {
        const label = a.label('behind');
        a.place(label).moveImmediate(R0, 0).jump(label);
      },
      message: 'a jump back to label behind',
    },
    {
      what: 'a jump too far',
      code: (a) => {
        const label = a.label('far');
        a.jumpIfImmediate('==', R0, 0, label);
        for (let count = 0; count < 0x8000; count++) a.moveImmediate(R0, 0);
        a.place(label).exit().finish();
      },
      message: '16 bits',
    },
  ])('$what is refused with the function named', ({ code, message }) => {
    const error = thrownBy(() => code(assembler()));
    expect(error).toMatchObject({ code: 'ASSEMBLER_INVALID' });
    expect(error.message).toContain('sample');
    expect(error.message).toContain(message);
  });
});

test('registers are their numbers', () => {
  const registers: readonly Register[] = [R0, R1, R2, R3, R10];
  expect(registers).toEqual([0, 1, 2, 3, 10]);
  expect(HELPER.loop).toBe(181);
});

import { describe, expect, it } from 'vitest';
import {
  assembleInstructions,
  decodeInstructions,
  encodeInstructions,
  formatInstruction,
} from '../../../engine/bytecode/index.js';

/** One row an instruction: its bytes, and both forms. */
const ROWS: readonly { hex: string; llvm: string; kernel: string }[] = [
  { hex: 'b7010000ffffffff', llvm: 'r1 = -0x1', kernel: '(b7) r1 = -1' },
  { hex: 'bc21000000000000', llvm: 'w1 = w2', kernel: '(bc) w1 = w2' },
  { hex: 'c701000003000000', llvm: 'r1 s>>= 0x3', kernel: '(c7) r1 s>>= 3' },
  { hex: '9c21010000000000', llvm: 'w1 s%= w2', kernel: '(9c) w1 s%= w2' },
  { hex: '8401000000000000', llvm: 'w1 = -w1', kernel: '(84) w1 = -w1' },
  { hex: 'bf21080000000000', llvm: 'r1 = (s8)r2', kernel: '(bf) r1 = (s8)r2' },
  { hex: 'dc01000010000000', llvm: 'r1 = be16 r1', kernel: '(dc) r1 = be16 r1' },
  { hex: 'd701000020000000', llvm: 'r1 = bswap32 r1', kernel: '(d7) r1 = bswap32 r1' },
  {
    hex: 'bf21010001000000',
    llvm: 'r1 = addr_space_cast(r2, 0x0, 0x1)',
    kernel: '(bf) r1 = addr_space_cast(r2, 0, 1)',
  },
  { hex: '8110000000000000', llvm: 'r0 = *(s32 *)(r1 + 0x0)', kernel: '(81) r0 = *(s32 *)(r1 +0)' },
  { hex: '631afcff00000000', llvm: '*(u32 *)(r10 - 0x4) = r1', kernel: '(63) *(u32 *)(r10 -4) = r1' },
  { hex: '7a0af8ff07000000', llvm: '*(u64 *)(r10 - 0x8) = 0x7', kernel: '(7a) *(u64 *)(r10 -8) = 7' },
  { hex: '3000000004000000', llvm: 'r0 = *(u8 *)skb[0x4]', kernel: '(30) r0 = *(u8 *)skb[4]' },
  { hex: '4820000004000000', llvm: 'r0 = *(u16 *)skb[r2 + 0x4]', kernel: '(48) r0 = *(u16 *)skb[r2 + 4]' },
  {
    hex: 'db21000000000000',
    llvm: 'lock *(u64 *)(r1 + 0x0) += r2',
    kernel: '(db) lock *(u64 *)(r1 +0) += r2',
  },
  {
    hex: 'c3120000a1000000',
    llvm: 'w1 = atomic_fetch_xor((u32 *)(r2 + 0x0), w1)',
    kernel: '(c3) r1 = atomic_fetch_xor((u32 *)(r2 +0), r1)',
  },
  {
    hex: 'db12000001000000',
    llvm: 'r1 = atomic_fetch_add((u64 *)(r2 + 0x0), r1)',
    kernel: '(db) r1 = atomic64_fetch_add((u64 *)(r2 +0), r1)',
  },
  {
    hex: 'db120000e1000000',
    llvm: 'r1 = xchg_64(r2 + 0x0, r1)',
    kernel: '(db) r1 = atomic64_xchg((u64 *)(r2 +0), r1)',
  },
  {
    hex: 'c3120800f1000000',
    llvm: 'w0 = cmpxchg32_32(r2 + 0x8, w0, w1)',
    kernel: '(c3) r0 = atomic_cmpxchg((u32 *)(r2 +8), r0, r1)',
  },
  {
    hex: 'd321080000010000',
    llvm: 'w1 = load_acquire((u8 *)(r2 + 0x8))',
    kernel: '(d3) r1 = load_acquire((u8 *)(r2 +8))',
  },
  {
    hex: 'db21080010010000',
    llvm: 'store_release((u64 *)(r1 + 0x8), r2)',
    kernel: '(db) store_release((u64 *)(r1 +8), r2)',
  },
  {
    hex: '180100000500000000000000ffffffff',
    llvm: 'r1 = -0xfffffffb ll',
    kernel: '(18) r1 = 0xffffffff00000005',
  },
  { hex: '18110000070000000000000000000000', llvm: 'ld_pseudo r1, 0x1, 0x7', kernel: '(18) r1 = map[id:7]' },
  {
    hex: '18210000070000000000000009000000',
    llvm: 'ld_pseudo r1, 0x2, 0x900000007',
    kernel: '(18) r1 = map[id:7][0]+9',
  },
  {
    hex: '18210000ffffffff00000000ffffffff',
    llvm: 'ld_pseudo r1, 0x2, 0xffffffffffffffff',
    kernel: '(18) r1 = map[id:4294967295][0]+4294967295',
  },
  {
    hex: '18310000070000000000000002000000',
    llvm: 'ld_pseudo r1, 0x3, 0x200000007',
    kernel: '(18) r1 = var[id:7][fd:2]',
  },
  {
    hex: '18410000feffffff0000000000000000',
    llvm: 'ld_pseudo r1, 0x4, 0xfffffffe',
    kernel: '(18) r1 = subprog[-2]',
  },
  { hex: '18510000070000000000000000000000', llvm: 'ld_pseudo r1, 0x5, 0x7', kernel: '(18) r1 = map[idx:7]' },
  {
    hex: '18610000070000000000000003000000',
    llvm: 'ld_pseudo r1, 0x6, 0x300000007',
    kernel: '(18) r1 = map[idx:7]+3',
  },
  {
    hex: '1501fbffffffffff',
    llvm: 'if r1 == -0x1 goto -0x5',
    kernel: '(15) if r1 == 0xffffffff goto pc-5',
  },
  { hex: 'ce21050000000000', llvm: 'if w1 s< w2 goto +0x5', kernel: '(ce) if w1 s< w2 goto pc+5' },
  { hex: '4501010007000000', llvm: 'if r1 & 0x7 goto +0x1', kernel: '(45) if r1 & 0x7 goto pc+1' },
  { hex: '0500030000000000', llvm: 'goto +0x3', kernel: '(05) goto pc+3' },
  { hex: '0600000070110100', llvm: 'gotol +0x11170', kernel: '(06) gotol pc+70000' },
  { hex: 'e500010000000000', llvm: 'may_goto +0x1', kernel: '(e5) may_goto pc+1' },
  { hex: '8500000001000000', llvm: 'call bpf_map_lookup_elem#1', kernel: '(85) call bpf_map_lookup_elem#1' },
  { hex: '85000000e7030000', llvm: 'call 0x3e7', kernel: '(85) call unknown#999' },
  { hex: '8510000005000000', llvm: 'call +0x5', kernel: '(85) call pc+5' },
  { hex: '852003004d000000', llvm: 'call kernel-function#77:3', kernel: '(85) call kernel-function#77:3' },
  { hex: '8d03000000000000', llvm: 'callx r3', kernel: '(8d) callx r3' },
  { hex: '9500000000000000', llvm: 'exit', kernel: '(95) exit' },
];

const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const hexOf = (text: string) => Buffer.from(encodeInstructions(assembleInstructions(text))).toString('hex');

describe('both forms', () => {
  it.each(ROWS)('$kernel', ({ hex, llvm, kernel }) => {
    const [instruction] = decodeInstructions(bytesOf(hex));
    if (instruction === undefined) throw new Error('one instruction expected');
    expect(formatInstruction(instruction, 'llvm')).toBe(llvm);
    expect(formatInstruction(instruction, 'kernel')).toBe(kernel);
    expect(hexOf(llvm)).toBe(hex);
    expect(hexOf(kernel)).toBe(hex);
  });
});

describe('other spellings', () => {
  it.each([
    { text: 'r1 = 4294967295', hex: 'b7010000ffffffff' },
    { text: 'r1=0XFF', hex: 'b7010000ff000000' },
    { text: '  12: r1 = 5 ; the answer', hex: 'b701000005000000' },
    { text: 'r1 = 5 # the answer', hex: 'b701000005000000' },
    { text: 'r1 = 5// the answer', hex: 'b701000005000000' },
    { text: 'r1 = 0xffffffffffffffff ll', hex: '18010000ffffffff00000000ffffffff' },
    { text: '*(u32 *)(r10 + -4) = w1', hex: '631afcff00000000' },
    { text: 'w1 = *(u16 *)(r2)', hex: '6921000000000000' },
    { text: 'r1 = map[fd:7]', hex: '18110000070000000000000000000000' },
    { text: 'call bpf_loop', hex: '85000000b5000000' },
    { text: 'call loop', hex: '85000000b5000000' },
    { text: 'call 181', hex: '85000000b5000000' },
    { text: 'if r1 == 0 goto +0x5 <main+0x28>', hex: '1501050000000000' },
    { text: 'if r1 s< r2 goto +1', hex: 'cd21010000000000' },
    { text: 'lock *(u32 *)(r1 +0) |= w2', hex: 'c321000040000000' },
    { text: '; nothing\n\n\t\n# here\r\nexit\r\n', hex: '9500000000000000' },
  ])('$text', ({ text, hex }) => {
    expect(hexOf(text)).toBe(hex);
  });
});

describe('labels', () => {
  it('count slots, ld_imm64 as two, forwards and back', () => {
    const text = `
again: r2 = 1 ll
  if r1 == 0 goto out
  may_goto out
  gotol again
out:
done: exit`;
    expect(assembleInstructions(text)).toMatchObject([
      { kind: 'load-immediate64' },
      { kind: 'jump-if', offset: 2 },
      { kind: 'may-goto', offset: 1 },
      { kind: 'jump', isLong: true, offset: -5 },
      { kind: 'exit' },
    ]);
  });

  it('can be called, and be addresses of callbacks', () => {
    const text = 'call inner\nr2 = inner ll\nexit\ninner: exit';
    expect(assembleInstructions(text)).toMatchObject([
      { kind: 'call-local', offset: 3 },
      { kind: 'load-address', address: { kind: 'function', offset: 2 } },
      { kind: 'exit' },
      { kind: 'exit' },
    ]);
  });

  it('come before helpers of the same name', () => {
    expect(assembleInstructions('call bpf_loop\nbpf_loop: exit')).toMatchObject([
      { kind: 'call-local', offset: 0 },
      { kind: 'exit' },
    ]);
  });
});

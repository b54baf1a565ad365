import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  assembleInstructions,
  DISASSEMBLY_STYLES,
  decodeInstructions,
  disassemble,
  encodeInstructions,
  formatInstruction,
} from '../../../engine/bytecode/index.js';
import { VespidError } from '../../../engine/errors/index.js';
import { anyCode, anyInstruction } from '../instruction/random-instruction.js';

/** Codes that assembling any text may end in. */
const ASSEMBLY_CODE = /^ASSEMBLY_(SYNTAX|RANGE|LIMIT|SYMBOL_UNKNOWN|SYMBOL_DUPLICATE)$/;

describe.each(DISASSEMBLY_STYLES)('the %s form', (style) => {
  it('assembles what it disassembles', () => {
    fc.assert(
      fc.property(anyCode, (code) => {
        expect(assembleInstructions(disassemble(code, style))).toEqual(code);
      }),
      { numRuns: 500 },
    );
  });

  it.each(['little-endian', 'big-endian'] as const)('keeps the bytes of a %s machine', (byteOrder) => {
    fc.assert(
      fc.property(anyCode, (code) => {
        const bytes = encodeInstructions(code, byteOrder);
        const text = disassemble(decodeInstructions(bytes, { byteOrder }), style);
        expect(encodeInstructions(assembleInstructions(text), byteOrder)).toEqual(bytes);
      }),
    );
  });
});

it.each([
  { what: 'half registers', options: { halfRegisters: true } },
  { what: 'numbers of helpers', options: { helperNames: false } },
])('assembles the llvm form with $what', ({ options }) => {
  fc.assert(
    fc.property(anyCode, (code) => {
      expect(assembleInstructions(disassemble(code, 'llvm', options))).toEqual(code);
    }),
  );
});

/**
 * A bounded fuzz of assembler text: lines of either form with characters cut, doubled and replaced, and tokens in
 * any order. Whatever comes out is an instruction list or a documented error; nothing else, and no hang.
 */
describe('hostile text', () => {
  const line = fc
    .tuple(anyInstruction, fc.constantFrom(...DISASSEMBLY_STYLES))
    .map(([instruction, style]) => formatInstruction(instruction, style));
  const damaged = fc
    .tuple(
      line,
      fc.nat(),
      fc.constantFrom('', 'x', '(', ')', '<', '-', '0', '[', ' ', '=', '#', ':', '\t', 'é'),
    )
    .map(([text, at, replacement]) => {
      const place = at % text.length;
      return text.slice(0, place) + replacement + text.slice(place + (at % 3));
    });
  const tokens = fc
    .array(
      fc.constantFrom(
        ...['r1', 'w1', 'r10', '=', '+=', '*', '(', ')', 'u32', 's8', '+', '-', '5', '0xffffffff', '[', ']'],
        ...[
          'if',
          'goto',
          'call',
          'lock',
          'exit',
          'map',
          'id',
          ':',
          'll',
          'skb',
          '#',
          '<a>',
          ',',
          'pc',
          '.map',
        ],
        ...['.function', 'a', 'a:', 'type=array', 'ld_pseudo', 'store_release', '99999999999999999999', '\n'],
      ),
      { maxLength: 12 },
    )
    .map((words) => words.join(' '));

  it.each([
    { what: 'damaged lines', text: fc.array(damaged, { maxLength: 4 }).map((lines) => lines.join('\n')) },
    { what: 'tokens in any order', text: tokens },
    { what: 'any text', text: fc.string({ unit: 'binary', maxLength: 100 }) },
  ])('$what: instructions or a documented error', ({ text }) => {
    fc.assert(
      fc.property(text, (input) => {
        try {
          const code = assembleInstructions(input);
          expect(decodeInstructions(encodeInstructions(code))).toEqual(code);
        } catch (error) {
          if (!(error instanceof VespidError)) throw error;
          expect(error.code).toMatch(ASSEMBLY_CODE);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

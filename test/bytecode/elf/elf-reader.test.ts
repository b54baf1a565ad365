import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RELOCATION_TYPE, SECTION_TYPE, SYMBOL_TYPE } from '../../../engine/bytecode/elf/elf-format.js';
import { readElf } from '../../../engine/bytecode/elf/elf-reader.js';
import { type NewSection, type NewSymbol, writeElf } from '../../../engine/bytecode/elf/elf-writer.js';
import { writeObject } from '../../../engine/bytecode/index.js';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { expectCode, expectDocumented, READING_CODES, thrownBy } from '../documented-errors.js';
import { mutatedBytes } from '../mutated-bytes.js';
import { sampleDefinition } from '../sample-object.js';

const SECTIONS: NewSection[] = [
  {
    name: 'code',
    type: SECTION_TYPE.programBits,
    flags: 6,
    byteAlignment: 8,
    bytes: new Uint8Array(16).fill(1),
    relocations: [{ byteOffset: 8, type: RELOCATION_TYPE.imm64, symbol: 'map m' }],
  },
  { name: '.maps', type: SECTION_TYPE.programBits, flags: 3, byteAlignment: 8, bytes: new Uint8Array(8) },
];
const SYMBOLS: NewSymbol[] = [
  { key: 'f', name: 'f', type: SYMBOL_TYPE.function, binding: 1, section: 'code', value: 0, byteSize: 16 },
  { key: 'map m', name: 'm', type: SYMBOL_TYPE.object, binding: 0, section: '.maps', value: 0, byteSize: 8 },
];
const SMALL = writeElf(SECTIONS, SYMBOLS);

/** Section indexes in {@link SMALL}. */
const CODE = 1;
const RELOCATIONS = 2;
const MAPS = 3;
const SYMBOL_TABLE = 4;

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset);
const headerOf = (bytes: Uint8Array, section: number) =>
  Number(view(bytes).getBigUint64(40, true)) + section * 64;
const contentOf = (bytes: Uint8Array, section: number) =>
  Number(view(bytes).getBigUint64(headerOf(bytes, section) + 24, true));

/** Reads all of it: relocations are read only where somebody asks. */
function readWithRelocations(bytes: Uint8Array, label: string): void {
  const { sections, relocations } = readElf(bytes, label);
  for (const { index } of sections) relocations.of(index);
}

describe('readElf', () => {
  test('reads what writeElf writes', () => {
    const elf = readElf(SMALL, 'small.o');
    expect(elf.sections.map((section) => section.name)).toEqual([
      '',
      'code',
      '.relcode',
      '.maps',
      '.symtab',
      '.strtab',
    ]);
    expect(elf.sections[CODE]?.bytes).toEqual(new Uint8Array(16).fill(1));
    // Local symbols come first: the map's, then the function's.
    expect(elf.symbols.map((symbol) => symbol.name)).toEqual(['', 'm', 'f']);
    expect(elf.symbols[2]).toMatchObject({ sectionIndex: CODE, value: 0, byteSize: 16, binding: 1 });
    expect(elf.relocations.of(CODE)).toEqual([{ byteOffset: 8, type: 1, symbolIndex: 1 }]);
  });

  test('leaves alone the relocations that nobody asks for', () => {
    const bytes = SMALL.slice();
    view(bytes).setUint32(headerOf(bytes, RELOCATIONS) + 4, SECTION_TYPE.relocationWithAddend, true);
    const { relocations } = readElf(bytes, 'rela.o');
    expect(relocations.of(MAPS)).toEqual([]);
    expectCode('ELF_UNSUPPORTED', () => relocations.of(CODE), /SHT_RELA/);
  });

  const damage: [string, ErrorCode, (bytes: Uint8Array, data: DataView) => void][] = [
    ['another magic', 'ELF_MALFORMED', (_b, d) => d.setUint8(0, 0x7e)],
    ['32-bit ELF', 'ELF_UNSUPPORTED', (_b, d) => d.setUint8(4, 1)],
    ['a byte order that is none', 'ELF_UNSUPPORTED', (_b, d) => d.setUint8(5, 3)],
    ['another byte order than its own', 'ELF_UNSUPPORTED', (_b, d) => d.setUint8(5, 2)],
    ['an executable', 'ELF_UNSUPPORTED', (_b, d) => d.setUint16(16, 2, true)],
    ['x86-64', 'ELF_UNSUPPORTED', (_b, d) => d.setUint16(18, 62, true)],
    ['a header of another size', 'ELF_MALFORMED', (_b, d) => d.setUint16(52, 52, true)],
    ['section headers of another size', 'ELF_MALFORMED', (_b, d) => d.setUint16(58, 40, true)],
    ['a section count that stands elsewhere', 'ELF_UNSUPPORTED', (_b, d) => d.setUint16(60, 0, true)],
    [
      'no sections',
      'ELF_MALFORMED',
      (_b, d) => {
        d.setUint16(60, 0, true);
        d.setBigUint64(40, 0n, true);
      },
    ],
    ['an absurd section count', 'ELF_MALFORMED', (_b, d) => d.setUint16(60, 0xffff, true)],
    ['more sections than bytes', 'BYTES_OUT_OF_RANGE', (_b, d) => d.setUint16(60, 0xfeff, true)],
    ['a table far away', 'BYTES_OUT_OF_RANGE', (_b, d) => d.setBigUint64(40, 2n ** 63n, true)],
    ['names in no section', 'ELF_MALFORMED', (_b, d) => d.setUint16(62, 99, true)],
    [
      'a section name beyond the table',
      'BYTES_OUT_OF_RANGE',
      (b, d) => d.setUint32(headerOf(b, CODE), 9999, true),
    ],
    [
      'a section beyond the file',
      'BYTES_OUT_OF_RANGE',
      (b, d) => d.setUint32(headerOf(b, CODE) + 32, 9999, true),
    ],
    ['overlapping sections', 'ELF_MALFORMED', (b, d) => d.setUint32(headerOf(b, MAPS) + 24, 64, true)],
    [
      'a section over the file header',
      'ELF_MALFORMED',
      (b, d) => d.setUint32(headerOf(b, MAPS) + 24, 8, true),
    ],
    [
      'relocations with addends',
      'ELF_UNSUPPORTED',
      (b, d) => d.setUint32(headerOf(b, RELOCATIONS) + 4, 4, true),
    ],
    [
      'relocations of no section',
      'ELF_MALFORMED',
      (b, d) => d.setUint32(headerOf(b, RELOCATIONS) + 44, 0, true),
    ],
    ['half a relocation', 'ELF_MALFORMED', (b, d) => d.setUint32(headerOf(b, RELOCATIONS) + 32, 8, true)],
    ['a relocation outside', 'ELF_MALFORMED', (b, d) => d.setUint32(contentOf(b, RELOCATIONS), 16, true)],
    [
      'a relocation to no symbol',
      'ELF_MALFORMED',
      (b, d) => d.setUint32(contentOf(b, RELOCATIONS) + 12, 9, true),
    ],
    ['half a symbol', 'ELF_MALFORMED', (b, d) => d.setUint32(headerOf(b, SYMBOL_TABLE) + 32, 60, true)],
    [
      'symbol names in no strings',
      'ELF_MALFORMED',
      (b, d) => d.setUint32(headerOf(b, SYMBOL_TABLE) + 40, 1, true),
    ],
    ['two symbol tables', 'ELF_MALFORMED', (b, d) => d.setUint32(headerOf(b, MAPS) + 4, 2, true)],
    [
      'a symbol in no section',
      'ELF_MALFORMED',
      (b, d) => d.setUint16(contentOf(b, SYMBOL_TABLE) + 30, 77, true),
    ],
    [
      'extended numbering',
      'ELF_UNSUPPORTED',
      (b, d) => d.setUint16(contentOf(b, SYMBOL_TABLE) + 30, 0xffff, true),
    ],
    [
      'zeros beyond the limit',
      'ELF_MALFORMED',
      (b, d) => {
        d.setUint32(headerOf(b, MAPS) + 4, SECTION_TYPE.noBits, true);
        d.setBigUint64(headerOf(b, MAPS) + 32, 2n ** 40n, true);
      },
    ],
    [
      'zeros that are beyond the limit together',
      'ELF_MALFORMED',
      (b, d) => {
        for (const section of [CODE, MAPS]) {
          d.setUint32(headerOf(b, section) + 4, SECTION_TYPE.noBits, true);
          d.setBigUint64(headerOf(b, section) + 32, 40n * 2n ** 20n, true);
        }
      },
    ],
  ];
  test.each(damage)('refuses %s', (_name, code, change) => {
    const bytes = SMALL.slice();
    change(bytes, view(bytes));
    expectCode(code, () => readWithRelocations(bytes, 'damaged.o'), /^damaged\.o/);
  });

  test('refuses the object cut off at every length', () => {
    const whole = writeObject(sampleDefinition());
    for (let byteLength = 0; byteLength < whole.byteLength; byteLength++) {
      const error = thrownBy(() => readElf(whole.slice(0, byteLength), 'cut.o'));
      expect(READING_CODES, `at ${byteLength} bytes`).toContain(error?.code);
    }
  });

  test('fails only in documented ways on damaged objects', () => {
    const whole = writeObject(sampleDefinition());
    fc.assert(
      fc.property(mutatedBytes(whole), (bytes) =>
        expectDocumented(() => readWithRelocations(bytes, 'fuzz.o')),
      ),
      { numRuns: 1000 },
    );
  });
});

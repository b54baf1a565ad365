import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BtfExt, readBtfExt, writeBtfExt } from '../../../engine/bytecode/btf/btf-ext.js';
import { Btf, BtfBuilder } from '../../../engine/bytecode/index.js';
import { expectCode, expectDocumented } from '../documented-errors.js';
import { mutatedBytes } from '../mutated-bytes.js';

const u32 = fc.nat(0xffff_ffff);
const text = fc.stringMatching(/^[a-z0-9:/_. ]{0,12}$/);
const sections = <T>(record: fc.Arbitrary<T>) =>
  fc.array(fc.record({ section: text, records: fc.array(record, { minLength: 1, maxLength: 5 }) }), {
    maxLength: 3,
  });
const randomExt: fc.Arbitrary<BtfExt> = fc.record({
  functions: sections(fc.record({ byteOffset: u32, typeId: u32 })),
  lines: sections(
    fc.record({
      byteOffset: u32,
      fileNameOffset: u32,
      sourceOffset: u32,
      line: fc.nat(0x3f_ffff),
      column: fc.nat(0x3ff),
    }),
  ),
  coreRelocations: sections(fc.record({ byteOffset: u32, typeId: u32, access: text, kind: u32 })),
});

function written(ext: BtfExt): { bytes: Uint8Array; btf: Btf } {
  const builder = new BtfBuilder();
  const bytes = writeBtfExt(ext, builder);
  return { bytes, btf: new Btf(builder.build(), 'BTF') };
}

const SAMPLE: BtfExt = {
  functions: [{ section: 'lsm/file_open', records: [{ byteOffset: 0, typeId: 3 }] }],
  lines: [
    {
      section: 'lsm/file_open',
      records: [{ byteOffset: 8, fileNameOffset: 1, sourceOffset: 5, line: 7, column: 3 }],
    },
  ],
  coreRelocations: [
    { section: 'lsm/file_open', records: [{ byteOffset: 16, typeId: 5, access: '0:1', kind: 0 }] },
  ],
};

describe('.BTF.ext', () => {
  test('reads what is written', () => {
    fc.assert(
      fc.property(randomExt, (ext) => {
        const { bytes, btf } = written(ext);
        expect(readBtfExt(bytes, btf, 'ext')).toEqual(ext);
      }),
    );
  });

  test('reads the header of compilers without CO-RE', () => {
    const { btf } = written(SAMPLE);
    const header = new Uint8Array(24);
    header.set([0x9f, 0xeb, 1, 0, 24]);
    expect(readBtfExt(header, btf, 'ext')).toEqual({ functions: [], lines: [], coreRelocations: [] });
  });

  test.each<[string, (data: DataView) => void]>([
    ['another magic', (d) => d.setUint16(0, 0, true)],
    ['a header of another size', (d) => d.setUint32(4, 40, true)],
    ['records that are too short', (d) => d.setUint32(32, 4, true)],
    ['records that are absurdly long', (d) => d.setUint32(32, 0x10000, true)],
    ['a section without records', (d) => d.setUint32(40, 0, true)],
    ['bytes that nothing describes', (d) => d.setUint32(28, 0, true)],
  ])('refuses %s', (_name, change) => {
    const { bytes, btf } = written(SAMPLE);
    change(new DataView(bytes.buffer));
    expectCode('BTF_EXT_MALFORMED', () => readBtfExt(bytes, btf, 'damaged'));
  });

  test('refuses more records than there are bytes', () => {
    const { bytes, btf } = written(SAMPLE);
    new DataView(bytes.buffer).setUint32(40, 0xffff_ffff, true);
    expectCode('BYTES_OUT_OF_RANGE', () => readBtfExt(bytes, btf, 'damaged'));
  });

  test('fails only in documented ways on damaged bytes', () => {
    const { bytes, btf } = written(SAMPLE);
    fc.assert(
      fc.property(mutatedBytes(bytes), (damaged) => expectDocumented(() => readBtfExt(damaged, btf, 'fuzz'))),
      { numRuns: 1000 },
    );
  });
});

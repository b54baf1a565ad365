import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readBtfExt, writeBtfExt } from '../../../engine/bytecode/btf/btf-ext.js';
import { readElf } from '../../../engine/bytecode/elf/elf-reader.js';
import { Btf, BtfBuilder, type BtfType, btfInByteOrder } from '../../../engine/bytecode/index.js';
import { compileWithClang, missingTool } from '../external-tools.js';
import { randomType } from './random-types.js';

function typesOf(btf: Btf): BtfType[] {
  return Array.from({ length: btf.typeCount }, (_, typeId) => btf.type(typeId));
}

function built(types: readonly BtfType[], base?: Btf): Btf {
  const builder = new BtfBuilder(base);
  for (const type of types) builder.add(type);
  return new Btf(builder.build(), 'built', base);
}

const types = fc.array(randomType, { maxLength: 30 });
const byteOrder = fc.constantFrom('little-endian' as const, 'big-endian' as const);

describe('a BTF that is read and written', () => {
  test('is the same, in either byte order', () => {
    fc.assert(
      fc.property(types, byteOrder, (before, order) => {
        const btf = new Btf(btfInByteOrder(built(before).bytes, order, 'test'), 'test');
        const again = new Btf(BtfBuilder.from(btf).build(), 'again');
        expect(typesOf(again)).toEqual(typesOf(btf));
        expect(again.ownStrings).toEqual(btf.ownStrings);
        expect(BtfBuilder.from(again).build()).toEqual(again.bytes);
      }),
    );
  });

  test('is the same when it continues another one', () => {
    fc.assert(
      fc.property(types, types, (ofBase, ofModule) => {
        const base = built(ofBase);
        const btf = built(ofModule, base);
        expect(BtfBuilder.from(btf).build()).toEqual(btf.bytes);
      }),
    );
  });

  test('can be added to, and redefined', () => {
    const btf = built([{ kind: 'forward', name: 'file', isUnion: false }]);
    const builder = BtfBuilder.from(btf);
    builder.define(1, { kind: 'struct', name: 'file', byteSize: 0, members: [] });
    expect(builder.add({ kind: 'typedef', name: 'file', typeId: 1 })).toBe(2);
    const again = new Btf(builder.build(), 'again');
    expect(again.idsByName('file')).toEqual([1, 2]);
    expect(again.ownStrings).toEqual(btf.ownStrings);
  });

  const noClang = missingTool('clang');
  test.skipIf(noClang)(`is the same if clang wrote it, .BTF.ext too${noClang ?? ''}`, () => {
    const elf = readElf(compileWithClang(), 'every-feature.bpf.o');
    const bytesOf = (name: string) => elf.sections.find((section) => section.name === name)?.bytes;
    const bytes = bytesOf('.BTF') ?? new Uint8Array();
    const extBytes = bytesOf('.BTF.ext') ?? new Uint8Array();
    const btf = new Btf(bytes, '.BTF');
    expect(BtfBuilder.from(btf).build()).toEqual(bytes);
    const ext = readBtfExt(extBytes, btf, '.BTF.ext');
    expect(writeBtfExt(ext, BtfBuilder.from(btf))).toEqual(extBytes);
  });
});

import { describe, expect, test } from 'vitest';
import { Btf, BtfBuilder, type BtfType, byteSizeOf } from '../../../engine/bytecode/index.js';
import { expectCode } from '../documented-errors.js';

function btfOf(label: string, types: readonly BtfType[], base?: Btf): Btf {
  const builder = new BtfBuilder(base);
  for (const type of types) builder.add(type);
  return new Btf(builder.build(), label, base);
}

const int = (name: string): BtfType => ({
  kind: 'int',
  name,
  byteSize: 4,
  encoding: 1,
  bitOffset: 0,
  bitSize: 32,
});
const VMLINUX = btfOf('vmlinux', [int('int'), { kind: 'struct', name: 'sock', byteSize: 8, members: [] }]);
/** Ids 3, 4 and 5; the name of 5 is among the base's strings. */
const MODULE = btfOf(
  'nf_tables',
  [
    { kind: 'pointer', typeId: 2 },
    { kind: 'struct', name: 'nft_ctx', byteSize: 8, members: [member('owner', 3)] },
    { kind: 'struct', name: 'sock', byteSize: 16, members: [member('own', 4)] },
  ],
  VMLINUX,
);

function member(name: string, typeId: number) {
  return { name, typeId, bitOffset: 0, bitFieldSize: 0 };
}

describe('a split BTF', () => {
  test('continues the ids of its base', () => {
    expect(MODULE.firstTypeId).toBe(3);
    expect(MODULE.typeCount).toBe(6);
    expect(MODULE.type(3)).toEqual({ kind: 'pointer', typeId: 2 });
    expect(MODULE.type(0)).toEqual({ kind: 'void' });
    expect(MODULE.nameOf(0)).toBe('void');
    expect(MODULE.type(2)).toBe(VMLINUX.type(2));
    expect(MODULE.kindOf(1)).toBe('int');
    expect(MODULE.nameOf(1)).toBe('int');
    expect(byteSizeOf(MODULE, 1)).toBe(4);
  });

  test('continues the strings of its base', () => {
    expect(MODULE.nameOf(4)).toBe('nft_ctx');
    expect(MODULE.nameOf(5)).toBe('sock');
    expect(MODULE.type(4)).toMatchObject({ members: [{ name: 'owner', typeId: 3 }] });
  });

  test('finds its own types by name, wherever their names stand', () => {
    expect(MODULE.idsByName('nft_ctx')).toEqual([4]);
    expect(MODULE.idsByName('sock', 'struct')).toEqual([5]);
    expect(MODULE.idsByName('int')).toEqual([]);
    expect(MODULE.idsByEssentialName('sock___mine')).toEqual([5]);
  });

  test('has only the strings that its base lacks', () => {
    expect(new TextDecoder().decode(MODULE.bytes)).toMatch(/nft_ctx\0owner\0own\0$/);
  });

  test('may be empty', () => {
    const header = [0x9f, 0xeb, 1, 0, 24, ...Array(19).fill(0)];
    const empty = new Btf(new Uint8Array(header), 'empty', VMLINUX);
    expect(empty.typeCount).toBe(VMLINUX.typeCount);
    expect(empty.idsByName('sock')).toEqual([]);
    expectCode('BTF_MALFORMED', () => new Btf(new Uint8Array(header), 'empty'));
  });

  test('says where its own types are, and not where those of the base are', () => {
    expect(MODULE.byteOffsetOf(3)).toBe(24);
    expectCode('BTF_MALFORMED', () => MODULE.byteOffsetOf(2));
    expectCode('BTF_MALFORMED', () => MODULE.type(6));
    expectCode('BTF_MALFORMED', () => MODULE.string(10_000), /nf_tables/);
  });
});

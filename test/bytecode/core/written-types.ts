import { Btf, BtfBuilder, type BtfType } from '../../../engine/bytecode/index.js';

type Member = readonly [name: string, typeId: number, bitOffset: number, bitFieldSize?: number];

export const int = (name: string, byteSize: number, encoding = 0): BtfType => ({
  kind: 'int',
  name,
  byteSize,
  encoding,
  bitOffset: 0,
  bitSize: byteSize * 8,
});

export const struct = (
  name: string,
  byteSize: number,
  members: readonly Member[],
  kind: 'struct' | 'union' = 'struct',
) =>
  ({
    kind,
    name,
    byteSize,
    members: members.map(([memberName, typeId, bitOffset, bitFieldSize = 0]) => ({
      name: memberName,
      typeId,
      bitOffset,
      bitFieldSize,
    })),
  }) satisfies BtfType;

export const enumeration = (
  name: string,
  values: Readonly<Record<string, bigint>>,
  kind: 'enum' | 'enum64' = 'enum',
): BtfType => ({
  kind,
  name,
  byteSize: kind === 'enum' ? 4 : 8,
  isSigned: false,
  values: Object.entries(values).map(([valueName, value]) => ({ name: valueName, value })),
});

export const prototype = (returnTypeId: number, ...parameterTypeIds: readonly number[]): BtfType => ({
  kind: 'function-prototype',
  returnTypeId,
  parameters: parameterTypeIds.map((typeId) => ({ name: 'p', typeId })),
});

export const pointer = (typeId: number): BtfType => ({ kind: 'pointer', typeId });

export const array = (elementTypeId: number, count: number): BtfType => ({
  kind: 'array',
  elementTypeId,
  indexTypeId: 1,
  count,
});

export const typedef = (name: string, typeId: number): BtfType => ({ kind: 'typedef', name, typeId });

/** Ids count from 1, or from where those of `base` end. */
export function btfOf(label: string, types: readonly BtfType[], base?: Btf): Btf {
  const builder = new BtfBuilder(base);
  for (const type of types) builder.add(type);
  return new Btf(builder.build(), label, base);
}

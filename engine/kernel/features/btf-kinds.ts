import { BtfBuilder } from '../../bytecode/index.js';
import { loadBtf } from '../types/btf-object.js';
import type { FeatureProbe } from './feature.js';

const UNSIGNED = { kind: 'int', name: 'u32', byteSize: 4, encoding: 0, bitOffset: 0, bitSize: 32 } as const;

/** Every generation of BTF, by one type that needs it. The builder begins with an int, id 1. */
const KINDS: readonly {
  readonly name: string;
  readonly since: string;
  readonly add: (builder: BtfBuilder) => void;
}[] = [
  { name: 'int', since: '4.18', add: () => {} },
  { name: 'function', since: '5.0', add: (builder) => void addFunction(builder, 0) },
  {
    name: 'data-section',
    since: '5.2',
    add: (builder) => {
      const variable = builder.add({ kind: 'variable', name: 'v', typeId: 1, linkage: 1 });
      const variables = [{ typeId: variable, byteOffset: 0, byteSize: 4 }];
      builder.add({ kind: 'data-section', name: '.data', byteSize: 4, variables });
    },
  },
  { name: 'global-function', since: '5.6', add: (builder) => void addFunction(builder, 1) },
  { name: 'float', since: '5.13', add: (builder) => builder.add({ kind: 'float', name: 'f', byteSize: 4 }) },
  {
    name: 'declaration-tag',
    since: '5.16',
    add: (builder) => {
      const typeId = builder.add({ kind: 'struct', name: 's', byteSize: 4, members: [] });
      builder.add({ kind: 'declaration-tag', name: 't', typeId, componentIndex: -1, isAttribute: false });
    },
  },
  {
    name: 'type-tag',
    since: '5.17',
    add: (builder) => {
      const typeId = builder.add({ kind: 'type-tag', name: 't', typeId: 1, isAttribute: false });
      builder.add({ kind: 'pointer', typeId });
    },
  },
  {
    name: 'enum64',
    since: '6.0',
    add: (builder) => {
      const values = [{ name: 'A', value: 1n << 40n }];
      builder.add({ kind: 'enum64', name: 'e', byteSize: 8, isSigned: false, values });
    },
  },
];

function addFunction(builder: BtfBuilder, linkage: number): void {
  const typeId = builder.add({ kind: 'function-prototype', returnTypeId: 1, parameters: [] });
  builder.add({ kind: 'function', name: 'f', typeId, linkage });
}

export const BTF_PROBES: readonly FeatureProbe[] = KINDS.map(({ name, since, add }) => ({
  name: `btf/${name}`,
  since,
  config: [],
  attempt: () => {
    const builder = new BtfBuilder();
    builder.add(UNSIGNED);
    add(builder);
    using _btf = loadBtf(builder.build());
  },
}));

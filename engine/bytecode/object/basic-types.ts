import type { BtfBuilder } from '../btf/btf-builder.js';
import { INT_ENCODING } from '../btf/btf-format.js';

const SIGNED_NAMES = { 1: 'signed char', 2: 'short', 4: 'int', 8: 'long long' } as const;
const UNSIGNED_NAMES = {
  1: 'unsigned char',
  2: 'unsigned short',
  4: 'unsigned int',
  8: 'unsigned long long',
} as const;

/** Bytes of a C enum whose values fit into an int. */
export const ENUM_BYTES = 4;

/** The types that have no name of their own or a common one: each is added to the BTF at its first use. */
export class BasicTypes {
  readonly #builder: BtfBuilder;
  readonly #ids = new Map<string, number>();

  constructor(builder: BtfBuilder) {
    this.#builder = builder;
  }

  int(byteSize: 1 | 2 | 4 | 8, signed: boolean): number {
    const name = signed ? SIGNED_NAMES[byteSize] : UNSIGNED_NAMES[byteSize];
    const encoding = signed ? INT_ENCODING.signed : 0;
    return this.#once(`int ${name}`, () =>
      this.#builder.add({ kind: 'int', name, byteSize, encoding, bitOffset: 0, bitSize: byteSize * 8 }),
    );
  }

  /** `pointer(0)` is `void *`. */
  pointer(typeId: number): number {
    return this.#once(`pointer ${typeId}`, () => this.#builder.add({ kind: 'pointer', typeId }));
  }

  array(elementTypeId: number, count: number): number {
    // The name that clang gives to the type of array indexes.
    const name = '__ARRAY_SIZE_TYPE__';
    const indexTypeId = this.#once(name, () =>
      this.#builder.add({ kind: 'int', name, byteSize: 4, encoding: 0, bitOffset: 0, bitSize: 32 }),
    );
    return this.#once(`array ${elementTypeId} ${count}`, () =>
      this.#builder.add({ kind: 'array', elementTypeId, indexTypeId, count }),
    );
  }

  /** An enum without a name, which CO-RE matches with every enum. */
  unnamedEnum(): number {
    return this.#once('enum', () =>
      this.#builder.add({ kind: 'enum', name: '', byteSize: ENUM_BYTES, isSigned: false, values: [] }),
    );
  }

  constant(typeId: number): number {
    return this.#once(`const ${typeId}`, () => this.#builder.add({ kind: 'const', typeId }));
  }

  forward(name: string): number {
    return this.#once(`forward ${name}`, () => this.#builder.add({ kind: 'forward', name, isUnion: false }));
  }

  #once(key: string, add: () => number): number {
    const existing = this.#ids.get(key);
    if (existing !== undefined) return existing;
    const typeId = add();
    this.#ids.set(key, typeId);
    return typeId;
  }
}

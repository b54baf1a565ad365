import type { BtfValue, Codec } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import type { GlobalMemory } from './global-memory.js';

/** A global variable of a loaded object, in the kernel: what a program wrote last is what {@link get} reads. */
export class GlobalVariable {
  readonly #memory: GlobalMemory;
  readonly #byteOffset: number;
  readonly #codec: Codec<BtfValue>;

  constructor(
    readonly name: string,
    readonly byteSize: number,
    place: { readonly memory: GlobalMemory; readonly byteOffset: number; readonly codec: Codec<BtfValue> },
  ) {
    this.#memory = place.memory;
    this.#byteOffset = place.byteOffset;
    this.#codec = place.codec;
  }

  /** False for a constant: it was frozen when the object was loaded. */
  get isWritable(): boolean {
    return this.#memory.isWritable;
  }

  /**
   * Integers and enums of up to 32 bits as numbers, wider ones and pointers as bigints, `bool` as a boolean, `char[]`
   * as the text before its NUL, arrays as arrays, structs as objects.
   *
   * @throws VespidError KERNEL_*
   */
  get(): BtfValue {
    return this.#codec.decode(this.bytes());
  }

  /** A copy of its bytes. @throws VespidError KERNEL_* */
  bytes(): Uint8Array {
    return this.#memory.read(this.#byteOffset, this.byteSize);
  }

  /**
   * Writes the variable. The bytes go one by one: a program that runs at the same time may see some of them.
   *
   * @throws VespidError BTF_VALUE_MISMATCH for a value of another type, OBJECT_VARIABLE_INVALID for a constant
   */
  set(value: BtfValue): void {
    if (!this.isWritable) {
      throw new VespidError(
        'OBJECT_VARIABLE_INVALID',
        `variable ${this.name} is constant since the object was loaded`,
        { hint: 'give its value in the `variables` of loadObject' },
      );
    }
    const bytes = new Uint8Array(this.byteSize);
    this.#codec.encode(value, bytes);
    this.#memory.write(this.#byteOffset, bytes);
  }
}

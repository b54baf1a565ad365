import { VespidError } from '../errors/index.js';
import type { GlobalMemory } from './global-memory.js';
import { decodeVariable, encodeVariable, type VariableType, type VariableValue } from './variable-value.js';

/** A global variable of a loaded object, in the kernel: what a program wrote last is what {@link get} reads. */
export class GlobalVariable {
  readonly #type: VariableType;
  readonly #memory: GlobalMemory;
  readonly #byteOffset: number;

  constructor(type: VariableType, memory: GlobalMemory, byteOffset: number) {
    this.#type = type;
    this.#memory = memory;
    this.#byteOffset = byteOffset;
  }

  get name(): string {
    return this.#type.name;
  }

  get byteSize(): number {
    return this.#type.byteSize;
  }

  /** False for a constant: it was frozen when the object was loaded. */
  get isWritable(): boolean {
    return this.#memory.isWritable;
  }

  /** @throws VespidError KERNEL_* */
  get(): VariableValue {
    return decodeVariable(this.#type, this.bytes());
  }

  /** A copy of its bytes. @throws VespidError KERNEL_* */
  bytes(): Uint8Array {
    return this.#memory.read(this.#byteOffset, this.#type.byteSize);
  }

  /**
   * Writes the variable. The bytes go one by one: a program that runs at the same time may see some of them.
   *
   * @throws VespidError VARIABLE_INVALID for a value of another type, or for a constant
   */
  set(value: VariableValue): void {
    if (!this.#memory.isWritable) {
      throw new VespidError(
        'VARIABLE_INVALID',
        `variable ${this.name} is constant since the object was loaded`,
        {
          hint: 'give its value in the `variables` of loadObject',
        },
      );
    }
    this.#memory.write(this.#byteOffset, encodeVariable(this.#type, value));
  }
}

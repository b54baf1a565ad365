import { type ErrorCode, VespidError } from '../../errors/index.js';
import { R10, type Register } from '../isa.js';
import type { Slot } from './slot.js';

/** A field of a slot as messages name it. */
type SlotField = 'destination' | 'source' | 'offset' | 'immediate';

/** One slot while it is decoded: every field is either asked for or held to be zero. */
export class SlotReader {
  readonly slot: Slot;
  readonly #slotIndex: number;
  readonly #label: string;

  constructor(slot: Slot, slotIndex: number, label: string) {
    this.slot = slot;
    this.#slotIndex = slotIndex;
    this.#label = label;
  }

  get opcode(): number {
    return this.slot.opcode;
  }

  /** @throws VespidError INSTRUCTION_RESERVED_FIELD for a register that does not exist */
  get destination(): Register {
    return this.#register('destination');
  }

  /** @throws VespidError INSTRUCTION_RESERVED_FIELD for a register that does not exist */
  get source(): Register {
    return this.#register('source');
  }

  /**
   * RFC 9669 section 3: unused fields are zero. A later instruction set may give them a meaning, so that code
   * that has something there does not do what it seems to do.
   * @throws VespidError INSTRUCTION_RESERVED_FIELD
   */
  unused(...fields: readonly SlotField[]): void {
    for (const field of fields) {
      if (this.slot[field] !== 0) throw this.reserved(field, '0 expected');
    }
  }

  reserved(field: SlotField, expected: string): VespidError {
    return this.#error('INSTRUCTION_RESERVED_FIELD', `${field} is ${this.slot[field]}: ${expected}`, {
      hint: 'the code is damaged, or of a newer instruction set than RFC 9669 and Linux 6.15',
      details: { field, value: this.slot[field] },
    });
  }

  unknown(what: string): VespidError {
    return this.#error('INSTRUCTION_UNKNOWN', what, {
      hint: 'these bytes are not BPF code, or of a newer instruction set than RFC 9669 and Linux 6.15',
    });
  }

  truncated(what: string): VespidError {
    return this.#error('INSTRUCTION_TRUNCATED', what, { hint: 'the code is cut off or damaged' });
  }

  #register(field: 'destination' | 'source'): Register {
    const register = this.slot[field];
    if (register > R10) throw this.reserved(field, 'a register from 0 to 10 expected');
    // Checked: a field of four bits that is at most 10.
    return register as Register;
  }

  #error(
    code: ErrorCode,
    message: string,
    options: { readonly hint: string; readonly details?: Readonly<Record<string, unknown>> },
  ): VespidError {
    const opcode = `opcode 0x${this.opcode.toString(16).padStart(2, '0')}`;
    return new VespidError(code, `${this.#label}, slot ${this.#slotIndex}: ${opcode}: ${message}`, {
      hint: options.hint,
      details: { slotIndex: this.#slotIndex, opcode: this.opcode, ...options.details },
    });
  }
}

import type { LineRecord } from '../btf/btf-ext.js';
import type { Btf } from '../btf/btf-reader.js';

/** `struct bpf_line_info`: the source of the instructions from this one to the next line's. */
export interface SourceLine {
  readonly slotIndex: number;
  /** Places of the two strings in the object's BTF, as BPF_PROG_LOAD takes them. */
  readonly fileNameOffset: number;
  readonly sourceOffset: number;
  readonly line: number;
  readonly column: number;
  readonly fileName: string;
  readonly source: string;
}

/** A line of an object, whose strings are read only when somebody asks: most lines are never shown. */
export class ObjectLine implements SourceLine {
  readonly slotIndex: number;
  readonly fileNameOffset: number;
  readonly sourceOffset: number;
  readonly line: number;
  readonly column: number;
  readonly #btf: Btf;

  constructor(slotIndex: number, record: Omit<LineRecord, 'byteOffset'>, btf: Btf) {
    this.slotIndex = slotIndex;
    this.fileNameOffset = record.fileNameOffset;
    this.sourceOffset = record.sourceOffset;
    this.line = record.line;
    this.column = record.column;
    this.#btf = btf;
  }

  /** @throws VespidError BTF_MALFORMED if the object's strings have no such place */
  get fileName(): string {
    return this.#btf.string(this.fileNameOffset);
  }

  /** @throws VespidError BTF_MALFORMED if the object's strings have no such place */
  get source(): string {
    return this.#btf.string(this.sourceOffset);
  }

  /** The same line in a program in which its function begins at another slot. */
  shiftedBy(slotCount: number): ObjectLine {
    return new ObjectLine(this.slotIndex + slotCount, this, this.#btf);
  }
}

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

/**
 * The line of source that an instruction was made of: the last one that begins at or before it. By bisection,
 * as a program may have ten thousands of lines.
 * @param lines ascending by slot
 */
export function sourceLineAt(lines: readonly SourceLine[], slotIndex: number): SourceLine | undefined {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((lines[middle]?.slotIndex ?? 0) <= slotIndex) low = middle + 1;
    else high = middle;
  }
  return lines[low - 1];
}

/** `probe.bpf.c:34: pid = task->tgid;`: file without folders, line, text. */
export function formatSourceLine(line: SourceLine): string {
  const fileName = line.fileName.slice(line.fileName.lastIndexOf('/') + 1);
  return `${fileName}:${line.line}: ${line.source.trim()}`;
}

import type { SourceLine } from '../../bytecode/index.js';

/** What a verifier log says about a refusal. */
export interface RefusalReason {
  /** The verifier's objection: one line, or a few that belong together, joined by `; `. Empty if there is none. */
  readonly summary: string;
  /** The instruction that the verifier was at; undefined when the log does not say. */
  readonly slotIndex: number | undefined;
  /** `file:line: text` as the log has it (kernel 6.9 and later). */
  readonly source: LoggedSource | undefined;
}

export interface LoggedSource {
  readonly fileName: string;
  readonly line: number;
  readonly source: string;
}

/** `12: (bf) r0 = r6`, with a register state behind it on some kernels. */
const INSTRUCTION = /^(\d+): \([0-9a-f]{2}\)/;
/** `; return x; @ probe.bpf.c:12` */
const SOURCE = /^; (.*?)(?: @ (\S+):(\d+))?$/;
/** `12: R0_w=0 R1=ctx()`, `from 3 to 7: …`, ` R0=inv0 …`, `frame1: …`: states of registers. */
const STATE =
  /^(\d+: (safe|R\d|frame|\.\.\.)|from \d+ to |\s*(frame\d+: )?R\d+(_[rwd]+)?=|\s*frame\d+:|\d+: ?$)/;
/** Lines that tell how the verifier works, not what it objects to. */
const CHATTER =
  /^(processed \d+ insns|verification time |stack depth |insns_|max_states|mark_precise: |last_idx |regs=|parent |func#\d|Func#\d|Validating |caller:|callee:|returning from callee:|to caller at |-- (BEGIN|END) PROG LOAD LOG|arg#\d+ (reference )?type.*'UNKNOWN|reg type unsupported for arg#|Live regs|propagating |\s*$)/;
/** Where the checks before the first instruction say which one they mean: `unreachable insn 5`. */
const NAMED_INSTRUCTION = /\binsn (\d+)\b/;

/** Lines of one objection: `invalid access to map value …` is followed by what is wrong with the register. */
const MOST_SUMMARY_LINES = 3;

/**
 * Finds the objection in the log of a program that was refused (`log_level` 1): the last lines that are neither
 * an instruction, a register state, a source line nor statistics.
 */
export function readRefusal(log: string): RefusalReason {
  const lines = log.split('\n');
  let at = lines.length - 1;
  while (at >= 0 && !isObjection(lines[at])) at--;
  const objection: string[] = [];
  for (; at >= 0 && isObjection(lines[at]) && objection.length < MOST_SUMMARY_LINES; at--) {
    objection.unshift((lines[at] ?? '').trim());
  }
  const before = lines.slice(0, at + 1);
  const instruction = before.findLast((line) => INSTRUCTION.test(line));
  const index = INSTRUCTION.exec(instruction ?? '')?.[1] ?? NAMED_INSTRUCTION.exec(objection.join(' '))?.[1];
  const [, source, fileName, line] = SOURCE.exec(before.findLast((each) => SOURCE.test(each)) ?? '') ?? [];
  return {
    summary: objection.join('; '),
    slotIndex: index === undefined ? undefined : Number(index),
    source:
      source === undefined || fileName === undefined
        ? undefined
        : { fileName, line: Number(line), source: source.trim() },
  };
}

function isObjection(line: string | undefined): boolean {
  return line !== undefined && ![INSTRUCTION, SOURCE, STATE, CHATTER].some((pattern) => pattern.test(line));
}

/** The source of an instruction: the last line that begins at or before it. `lines` ascend. */
export function sourceOfInstruction(
  lines: readonly SourceLine[],
  slotIndex: number | undefined,
): LoggedSource | undefined {
  if (slotIndex === undefined) return undefined;
  const found = lines.findLast((line) => line.slotIndex <= slotIndex);
  if (found === undefined) return undefined;
  return { fileName: found.fileName, line: found.line, source: found.source.trim() };
}

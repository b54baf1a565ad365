import { describe, expect, test } from 'vitest';
import { readRefusal, sourceOfInstruction } from '../../engine/kernel/programs/verifier-log.js';

const PROCESSED =
  'processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0';

/** Logs as kernels 6.1, 6.12 and 6.18 wrote them. */
const REFUSALS = [
  {
    name: 'an unset register, kernel 6.12',
    log: `0: R1=ctx() R10=fp0
; return x; @ probe.bpf.c:12
0: (bf) r0 = r6
R6 !read_ok
${PROCESSED}
`,
    summary: 'R6 !read_ok',
    slotIndex: 0,
    source: { fileName: 'probe.bpf.c', line: 12, source: 'return x;' },
  },
  {
    name: 'the same, kernel 6.1: the source without its place',
    log: `0: R1=ctx(off=0,imm=0) R10=fp0
; return x;
0: (bf) r0 = r6
R6 !read_ok
${PROCESSED}
`,
    summary: 'R6 !read_ok',
    slotIndex: 0,
    source: undefined,
  },
  {
    name: 'two lines that belong together',
    log: `5: (79) r1 = *(u64 *)(r0 +8)
invalid access to map value, value_size=8 off=8 size=8
R0 min value is outside of the allowed memory range
${PROCESSED}
`,
    summary:
      'invalid access to map value, value_size=8 off=8 size=8; R0 min value is outside of the allowed memory range',
    slotIndex: 5,
    source: undefined,
  },
  {
    name: 'what is refused before the first instruction',
    log: `unreachable insn 2\n${PROCESSED}\n`,
    summary: 'unreachable insn 2',
    slotIndex: 2,
    source: undefined,
  },
  {
    name: 'statistics, stack depth and the marks of a loader behind it',
    log: `-- BEGIN PROG LOAD LOG --
7: (85) call bpf_d_path#147
program of this type cannot use helper bpf_d_path#147
verification time 41 usec
stack depth 16+0
${PROCESSED}
-- END PROG LOAD LOG --
`,
    summary: 'program of this type cannot use helper bpf_d_path#147',
    slotIndex: 7,
    source: undefined,
  },
  {
    name: 'the tracks of backtracking before it',
    log: `3: (b7) r3 = 0                         ; R3_w=0
; bpf_probe_read(buf, len, p); @ probe.bpf.c:40
9: (85) call bpf_probe_read_kernel#113
mark_precise: frame0: last_idx 9 first_idx 0 subseq_idx -1
mark_precise: frame0: regs=r2 stack= before 8: (bf) r2 = r7
R2 unbounded memory access, use 'var &= const' or 'if (var < const)'
${PROCESSED}
`,
    summary: "R2 unbounded memory access, use 'var &= const' or 'if (var < const)'",
    slotIndex: 9,
    source: { fileName: 'probe.bpf.c', line: 40, source: 'bpf_probe_read(buf, len, p);' },
  },
  { name: 'nothing at all', log: '', summary: '', slotIndex: undefined, source: undefined },
  {
    name: 'a log that says nothing but figures',
    log: `${PROCESSED}\n`,
    summary: '',
    slotIndex: undefined,
    source: undefined,
  },
] as const;

describe('readRefusal', () => {
  test.each(REFUSALS)('$name', ({ log, summary, slotIndex, source }) => {
    expect(readRefusal(log)).toEqual({ summary, slotIndex, source });
  });
});

test('the source of an instruction is the last line at or before it', () => {
  const line = (slotIndex: number, number: number) => ({
    slotIndex,
    fileNameOffset: 0,
    sourceOffset: 0,
    fileName: 'a.c',
    source: `  line ${number}`,
    line: number,
    column: 1,
  });
  const lines = [line(0, 10), line(4, 11)];
  expect(sourceOfInstruction(lines, 3)).toEqual({ fileName: 'a.c', line: 10, source: 'line 10' });
  expect(sourceOfInstruction(lines, 4)?.line).toBe(11);
  expect(sourceOfInstruction(lines, undefined)).toBeUndefined();
  expect(sourceOfInstruction([], 3)).toBeUndefined();
});

import { expect, test } from 'vitest';
import { summarizeErrors } from './libbpf-errors.js';

test.each([
  [
    'the verifier refuses',
    [
      "libbpf: prog 'sample': BPF program load failed: Permission denied",
      "libbpf: prog 'sample': -- BEGIN PROG LOAD LOG --",
      '0: R1=ctx(off=0,imm=0) R10=fp0',
      '0: (95) exit',
      'R0 !read_ok',
      'processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0',
      '-- END PROG LOAD LOG --',
      "libbpf: prog 'sample': failed to load: -13",
      "libbpf: failed to load object '/peers/sample.bpf.o'",
      'Error: failed to load object file',
    ],
    'sample: verifier: R0 !read_ok',
  ],
  [
    'libbpf refuses',
    [
      "libbpf: map 'arena': unsupported attribute",
      "libbpf: failed to load object '/peers/sample.bpf.o'",
      'Error: failed to open object file',
    ],
    "map 'arena': unsupported attribute",
  ],
  [
    'the kernel refuses without a word',
    [
      "libbpf: prog 'sample': BPF program load failed: Invalid argument",
      "libbpf: prog 'sample': -- BEGIN PROG LOAD LOG --",
      'processed 0 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0',
      '-- END PROG LOAD LOG --',
      "libbpf: failed to load object '/peers/sample.bpf.o'",
    ],
    "prog 'sample': BPF program load failed: Invalid argument",
  ],
  [
    'the beginning of the log is cut off',
    ['R1 is gone', 'R0 !read_ok', '-- END PROG LOAD LOG --', "libbpf: prog 'sample': failed to load: -13"],
    'a program: verifier: R0 !read_ok',
  ],
  ['silence', [], 'no reason given'],
])('%s', (_, lines, summary) => {
  expect(summarizeErrors(lines.join('\n'))).toBe(summary);
});

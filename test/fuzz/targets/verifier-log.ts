import { readRefusal } from '../../../engine/kernel/programs/verifier-log.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { mutateText } from '../mutation/mutate-text.js';

const LOGS = [
  [
    '0: R1=ctx() R10=fp0',
    '; int on_exec(void *context) @ probe.bpf.c:12',
    '0: (b7) r6 = 0                        ; R6_w=0',
    'from 3 to 7: R0=map_value(off=0,ks=4,vs=8,imm=0) R10=fp0',
    '7: (79) r1 = *(u64 *)(r0 +8)',
    'invalid access to map value, value_size=8 off=8 size=8',
    'R0 min value is outside of the allowed memory range',
    'processed 9 insns (limit 1000000) max_states_per_insn 0 total_states 1 peak_states 1 mark_read 1',
  ],
  [
    'func#0 @0',
    'Validating inner() func#1...',
    'frame1: R1=scalar() R10=fp0',
    '; return *value; @ probe.bpf.c:40',
    '22: (61) r0 = *(u32 *)(r1 +0)',
    "R1 invalid mem access 'scalar'",
    'verification time 110 usec',
    'stack depth 0+0',
    'processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0',
  ],
  ['unreachable insn 5', 'processed 0 insns (limit 1000000)'],
  ["arg#0 reference type('UNKNOWN ') size cannot be determined: -22", 'back-edge from insn 3 to 2', ''],
];

/** The kernel writes logs, with names and source lines from the object in them. No log is an error. */
export const verifierLog: FuzzTarget = {
  name: 'verifier-log',
  codes: [],
  seeds: () => LOGS.map((lines) => new TextEncoder().encode(lines.join('\n'))),
  mutate: (random, seed, seeds) => {
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    const mutated = mutateText(random, decode(seed), seeds.map(decode));
    // A pattern that goes back and forth over its line shows on long ones.
    return new TextEncoder().encode(random.once(50) ? mutated.replaceAll('\n', '').repeat(200) : mutated);
  },
  run: (input) => {
    readRefusal(new TextDecoder().decode(input));
  },
};

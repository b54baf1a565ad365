import { describe, expect, test } from 'vitest';
import { followRegisters } from '../../../engine/bytecode/effects/register-flow.js';
import {
  assemble,
  EffectsOfObject,
  type ObjectFile,
  programNamed,
  readObject,
  writeObject,
} from '../../../engine/bytecode/index.js';

/** The effects of the function `main` of a text, as a program of that section. */
function effectsOf(section: string, text: string): readonly string[] {
  const object = objectOf(section, text);
  return new EffectsOfObject(object).of(programNamed(object, 'main'));
}

function objectOf(section: string, text: string): ObjectFile {
  const assembled = assemble(text, { section });
  return readObject(
    writeObject({ license: 'GPL', constants: [], kernelTypes: [], metadata: new Uint8Array(), ...assembled }),
    'test.bpf.o',
  );
}

const returning = (value: number) => `r0 = ${value}\nexit`;

describe('the result decides', () => {
  test.each<{ section: string; text: string; effects: string[] }>([
    { section: 'lsm/file_open', text: returning(0), effects: [] },
    { section: 'lsm/file_open', text: returning(-1), effects: ['deny'] },
    { section: 'lsm.s/file_open', text: returning(1), effects: ['deny'] },
    // 0 here says that prctl(2) was done: no seccomp filter would be installed any more.
    { section: 'lsm/task_prctl', text: returning(0), effects: ['deny'] },
    { section: 'lsm_cgroup/task_prctl', text: returning(1), effects: ['deny'] },
    { section: 'lsm/fs_context_parse_param', text: returning(0), effects: ['deny'] },
    { section: 'lsm.s/inode_getsecurity', text: returning(0), effects: ['deny'] },
    { section: 'lsm/of_a_newer_kernel', text: returning(0), effects: ['deny'] },
    { section: 'lsm/bprm_committed_creds', text: returning(0), effects: [] },
    { section: 'lsm_cgroup/socket_bind', text: returning(1), effects: [] },
    { section: 'lsm_cgroup/socket_bind', text: returning(0), effects: ['deny'] },
    { section: 'cgroup/connect4', text: returning(1), effects: [] },
    { section: 'cgroup/connect4', text: returning(0), effects: ['deny'] },
    { section: 'cgroup_skb/egress', text: returning(3), effects: ['deny'] },
    { section: 'cgroup/setsockopt', text: returning(1), effects: ['deny'] },
    { section: 'cgroup/getsockopt', text: returning(1), effects: ['deny'] },
    { section: 'xdp', text: returning(2), effects: [] },
    { section: 'xdp', text: returning(1), effects: ['deny'] },
    // Ends the chain: a denying program behind it is not asked.
    { section: 'tc', text: returning(0), effects: ['deny'] },
    { section: 'tcx/ingress', text: returning(0), effects: ['deny'] },
    { section: 'netkit/primary', text: returning(0), effects: ['deny'] },
    { section: 'action', text: returning(0), effects: ['deny'] },
    { section: 'tc', text: returning(-1), effects: [] },
    { section: 'tc', text: 'w0 = -1\nexit', effects: [] },
    { section: 'tcx/ingress', text: returning(2), effects: ['deny'] },
    { section: 'fmod_ret/security_file_open', text: returning(0), effects: [] },
    { section: 'fmod_ret/security_file_open', text: returning(-1), effects: ['deny'] },
    { section: 'sk_skb/stream_verdict', text: returning(1), effects: [] },
    { section: 'sk_skb/stream_parser', text: returning(1), effects: ['deny'] },
    { section: 'sk_skb', text: returning(1), effects: ['deny'] },
    { section: 'netfilter', text: returning(1), effects: [] },
    { section: 'netfilter', text: returning(0), effects: ['deny'] },
    { section: 'socket', text: returning(-1), effects: [] },
    { section: 'socket', text: returning(0), effects: ['deny'] },
    { section: 'freplace/f', text: returning(0), effects: ['deny'] },
    { section: 'struct_ops/f', text: returning(0), effects: ['deny'] },
    { section: 'flow_dissector', text: returning(0), effects: ['deny'] },
    { section: 'fentry/f', text: returning(7), effects: [] },
    { section: 'tp_btf/sched_switch', text: returning(7), effects: [] },
    { section: 'kprobe/f', text: returning(1), effects: [] },
    { section: 'tracepoint/syscalls/sys_enter_open', text: returning(7), effects: [] },
    { section: 'iter/task', text: returning(1), effects: [] },
  ])('$section: $text', ({ section, text, effects }) => {
    expect(effectsOf(section, text)).toEqual(effects);
  });
});

describe('whether every exit of an LSM program is the constant 0', () => {
  test.each<{ name: string; text: string; effects: string[] }>([
    { name: 'by another register', text: 'r6 = 0\ncall bpf_ktime_get_ns\nr0 = r6\nexit', effects: [] },
    { name: 'by ld_imm64', text: 'r0 = 0 ll\nexit', effects: [] },
    { name: 'by a 32-bit move', text: 'r6 = 0\nw0 = w6\nexit', effects: [] },
    {
      name: 'in the low half alone: a trampoline compares all 64 bits',
      text: 'r0 = 0x100000000 ll\nexit',
      effects: ['deny'],
    },
    {
      name: 'on both ways',
      text: 'r0 = 0\nif r1 == 0 goto out\ncall bpf_ktime_get_ns\nr0 = 0\nout:\nexit',
      effects: [],
    },
    {
      name: 'on one way of two',
      text: 'r0 = 0\nif r1 == 0 goto out\nr0 = -1\nout:\nexit',
      effects: ['deny'],
    },
    {
      name: 'at one exit of two',
      text: 'if r1 == 0 goto out\nr0 = -13\nexit\nout:\nr0 = 0\nexit',
      effects: ['deny'],
    },
    { name: 'what a helper gives', text: 'call bpf_ktime_get_ns\nexit', effects: ['deny'] },
    { name: 'lost over a call', text: 'r1 = 0\ncall bpf_ktime_get_ns\nr0 = r1\nexit', effects: ['deny'] },
    { name: 'after arithmetic', text: 'r0 = 0\nr0 += -1\nexit', effects: ['deny'] },
    {
      name: 'read from memory',
      text: '*(u64 *)(r10 - 8) = 0\nr0 = *(u64 *)(r10 - 8)\nexit',
      effects: ['deny'],
    },
    {
      name: 'swapped by an atomic operation',
      text: 'r0 = 0\n*(u64 *)(r10 - 8) = 0\nr1 = 5\nr0 = cmpxchg_64(r10 - 8, r0, r1)\nexit',
      effects: ['deny'],
    },
    {
      name: 'changed on a way back',
      text: 'r0 = 0\nr6 = 0\nagain:\nr6 += 1\nif r6 == 9 goto out\nif r6 == 7 goto change\ngoto again\nchange:\nr0 = -1\ngoto again\nout:\nexit',
      effects: ['deny'],
    },
    {
      name: 'kept on a way back',
      text: 'r0 = 0\nr6 = 0\nagain:\nr6 += 1\nif r6 == 9 goto out\ngoto again\nout:\nexit',
      effects: [],
    },
    {
      name: 'what a function of its own gives',
      text: 'call inner\nexit\n.function inner\nr0 = 0\nexit',
      effects: ['deny'],
    },
    {
      name: 'set after a function of its own, whose exits are not the program’s',
      text: 'call inner\nr0 = 0\nexit\n.function inner\nr0 = -1\nexit',
      effects: [],
    },
    {
      name: 'of a tail call',
      text: '.map jumps type=progArray key=4 value=4 entries=1\n.function main lsm/file_open\nr2 = jumps ll\nr3 = 0\ncall bpf_tail_call\nr0 = 0\nexit',
      effects: ['deny'],
    },
    {
      name: 'of a tail call in a function',
      text: '.map jumps type=progArray key=4 value=4 entries=1\n.function main lsm/file_open\ncall inner\nr0 = 0\nexit\n.function inner\nr2 = jumps ll\nr3 = 0\ncall bpf_tail_call\nr0 = 0\nexit',
      effects: ['deny'],
    },
    { name: 'of no exit at all', text: 'again:\nr0 = 0\ngoto again', effects: [] },
  ])('$name', ({ text, effects }) => {
    expect(effectsOf('lsm/file_open', text)).toEqual(effects);
  });

  test('a packet load ends the program with 0, which lets no packet of a cgroup pass', () => {
    const text = 'r6 = r1\nr0 = *(u8 *)skb[12]\nr0 = 1\nexit';
    expect(effectsOf('cgroup_skb/ingress', text)).toEqual(['deny']);
    expect(effectsOf('tc', text.replace('r0 = 1', 'r0 = -1'))).toEqual(['deny']);
    expect(effectsOf('lwt_in', text.replace('r0 = 1', 'r0 = 0'))).toEqual([]);
  });
});

describe('what is called', () => {
  const calling = (helper: string) => `call ${helper}\nr0 = 0\nexit`;
  test.each<{ name: string; text: string; effects: string[] }>([
    { name: 'a look', text: calling('bpf_get_current_pid_tgid'), effects: [] },
    { name: 'a signal', text: calling('bpf_send_signal'), effects: ['kill'] },
    { name: 'a signal to a thread', text: calling('bpf_send_signal_thread'), effects: ['kill'] },
    { name: 'another return value', text: calling('bpf_override_return'), effects: ['deny'] },
    { name: 'memory of a process', text: calling('bpf_probe_write_user'), effects: ['deny'] },
    { name: 'bpf(2)', text: calling('bpf_sys_bpf'), effects: ['deny'] },
    { name: 'secure execution', text: calling('bpf_bprm_opts_set'), effects: ['deny'] },
    { name: 'a helper that we do not know', text: calling('4000'), effects: ['deny'] },
    {
      name: 'a signal in a function',
      text: 'call inner\nr0 = 0\nexit\n.function inner\ncall bpf_send_signal\nr0 = 0\nexit',
      effects: ['kill'],
    },
    {
      name: 'a signal in a callback',
      text: 'r1 = 4\nr2 = inner ll\nr3 = 0\nr4 = 0\ncall bpf_loop\nr0 = 0\nexit\n.function inner\ncall bpf_send_signal\nr0 = 0\nexit',
      effects: ['kill'],
    },
  ])('$name', ({ text, effects }) => {
    expect(effectsOf('fentry/f', text)).toEqual(effects);
  });

  test('a map of sockets redirects what goes through them', () => {
    const text = (type: string) =>
      `.map m type=${type} key=4 value=4 entries=1\n.function main iter/task\nr1 = m ll\nr0 = 0\nexit`;
    expect(effectsOf('', text('hash'))).toEqual([]);
    expect(effectsOf('', text('sockmap'))).toEqual(['deny']);
  });
});

describe('writes to the context', () => {
  const pass = 'r0 = 1\nexit';
  test.each<{ name: string; section?: string; text: string; effects: string[] }>([
    { name: 'none', text: pass, effects: [] },
    { name: 'an address', text: `*(u32 *)(r1 + 4) = 0\n${pass}`, effects: ['deny'] },
    {
      name: 'through another register',
      text: `r6 = r1\nr6 += 4\n*(u32 *)(r6 + 0) = r0\n${pass}`,
      effects: ['deny'],
    },
    {
      name: 'through the stack',
      text: `*(u64 *)(r10 - 8) = r1\nr6 = *(u64 *)(r10 - 8)\n*(u32 *)(r6 + 4) = 0\n${pass}`,
      effects: ['deny'],
    },
    { name: 'atomically', text: `r2 = 1\nlock *(u32 *)(r1 + 4) += r2\n${pass}`, effects: ['deny'] },
    {
      name: 'on one way of two',
      text: `r6 = r10\nif r1 == 0 goto store\nr6 = r1\nstore:\n*(u32 *)(r6 - 4) = 0\n${pass}`,
      effects: ['deny'],
    },
    {
      name: 'in a function',
      text: `call inner\n${pass}\n.function inner\n*(u32 *)(r1 + 4) = 0\nr0 = 0\nexit`,
      effects: ['deny'],
    },
    {
      name: 'in a function that finds it on the stack',
      text: `*(u64 *)(r10 - 8) = r1\nr1 = r10\nr1 += -8\ncall inner\n${pass}\n.function inner\nr2 = *(u64 *)(r1 + 0)\n*(u32 *)(r2 + 4) = 0\nr0 = 0\nexit`,
      effects: ['deny'],
    },
    {
      name: 'in a callback',
      text: `r3 = r1\nr1 = 4\nr2 = inner ll\nr4 = 0\ncall bpf_loop\n${pass}\n.function inner\n*(u32 *)(r2 + 4) = 0\nr0 = 0\nexit`,
      effects: ['deny'],
    },
    {
      name: 'with what a function gives back',
      text: `call inner\n*(u32 *)(r0 + 4) = 0\n${pass}\n.function inner\nr0 = r1\nexit`,
      effects: ['deny'],
    },
    {
      name: 'by a helper, into the registers of a user space function',
      section: 'uprobe',
      text: 'r2 = 8\nr3 = 0\ncall bpf_probe_read_user\nr0 = 0\nexit',
      effects: ['deny'],
    },
    {
      name: 'by a helper, further on in the context',
      section: 'kprobe/f',
      text: 'r6 = r1\nr6 += 8\nr1 = 1\nr2 = 2\nr3 = r6\nr4 = 16\ncall bpf_get_ns_current_pid_tgid\nr0 = 0\nexit',
      effects: ['deny'],
    },
    {
      name: 'by a helper, in a function',
      section: 'kprobe/f',
      text: 'call inner\nr0 = 0\nexit\n.function inner\nr2 = 16\ncall bpf_get_current_comm\nr0 = 0\nexit',
      effects: ['deny'],
    },
    {
      name: 'by a helper to the stack: it only reads the context',
      section: 'kprobe/f',
      text: 'r3 = r1\nr1 = r10\nr1 += -8\nr2 = 8\ncall bpf_probe_read_kernel\nr0 = 0\nexit',
      effects: [],
    },
    {
      name: 'to the stack instead',
      text: `r6 = *(u32 *)(r1 + 4)\n*(u32 *)(r10 - 4) = r6\n${pass}`,
      effects: [],
    },
    {
      name: 'to a packet',
      section: 'xdp',
      text: 'r2 = *(u32 *)(r1 + 0)\n*(u8 *)(r2 + 0) = 0\nr0 = 2\nexit',
      effects: ['deny'],
    },
    {
      name: 'reads of a packet',
      section: 'xdp',
      text: 'r2 = *(u32 *)(r1 + 0)\nr3 = *(u8 *)(r2 + 0)\nr0 = 2\nexit',
      effects: [],
    },
    {
      name: 'the kernel refuses them to LSM programs',
      section: 'lsm/file_open',
      text: '*(u64 *)(r1 + 0) = 0\nr0 = 0\nexit',
      effects: [],
    },
  ])('$name', ({ section = 'cgroup/connect4', text, effects }) => {
    expect(effectsOf(section, text)).toEqual(effects);
  });
});

test.each([
  { kfunc: 'bpf_copy_from_user_str', writes: true },
  { kfunc: 'bpf_cast_to_kern_ctx', writes: false },
  { kfunc: 'bpf_cast_to_kern_ctx___mine', writes: false },
])('the context as an argument of $kfunc: writes $writes', ({ kfunc, writes }) => {
  const main = programNamed(objectOf('uprobe', 'call 1\nr0 = 0\nexit'), 'main');
  const references = [{ kind: 'kfunc', slotIndex: 0, name: kfunc } as const];
  const assumptions = {
    isProgram: true,
    leadsBeyond: false,
    contextInArguments: false,
    contextInMemory: false,
  };
  expect(followRegisters({ ...main, references }, assumptions).writesContext).toBe(writes);
});

test('code that is made to be slow is given up, not followed for ever', () => {
  // Each round changes one more register at the place where all ways meet.
  const changes = Array.from({ length: 5000 }, (_, i) => `if r1 == ${i} goto again\nr${2 + (i % 4)} = ${i}`);
  const text = `again:\n${changes.join('\n')}\nr0 = 0\nexit`;
  const start = performance.now();
  effectsOf('lsm/file_open', text);
  expect(performance.now() - start).toBeLessThan(5_000);
});
